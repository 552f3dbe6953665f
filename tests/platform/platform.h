/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform.h - what the platform programs share
 *
 * Each program in this folder states one fact about the kernel or a library
 * that pasvd leans on, and tries it in network namespaces of its own. This
 * header offers them, bottom up: assertions, namespaces and a router between a
 * client and a server, TCP sockets, whole IPv4/TCP packets, netlink requests,
 * conntrack and expectation messages, and a queue.
 *
 * Exit status of a program: 0 the fact holds, 1 it does not, 77 it cannot be
 * tried here (not root), 99 the set-up broke and nothing was learned.
 *
 * Limits: IPv4 only; one thread; one request under way per socket. Every wait
 * has a deadline, and alarm(2) ends what should get past one. Namespaces live
 * as long as the process, so nothing is left behind, however it ends.
 */
#ifndef PASVD_TESTS_PLATFORM_H
#define PASVD_TESTS_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* For what has to come: only a failure takes so long, on whatever machine. SLACK_S is how far off a
 * number of seconds may be. */
enum { DEADLINE_MS = 60000, WATCHDOG_S = 120, SLACK_S = 30 };

/* --- report.c: assertions --- */

/* Ends the program with 77 where it cannot run; starts the watchdog. */
void begin(void);
/* One line per assertion; @returns @holds. */
bool check(bool holds, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* check(got == want) for an errno-like result; prints both by name. */
bool check_err(int got, int want, const char *what);
/* A line of information; asserts nothing. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The set-up failed: says why and ends the program with 99. */
_Noreturn void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Closes what is open. Exit status for main(): 0, or 1 if any assertion failed. */
int finish(void);

/* --- netns.c: namespaces --- */

#define CLIENT     "198.51.100.2"
#define STRANGER   "198.51.100.3" /* a second address of the client's machine */
#define PUBLIC     "203.0.113.1"  /* the address that clients dial */
#define SERVER     "10.0.0.2"
#define LANHOST    "10.0.0.3" /* a second address of the server's machine */
#define ROUTER_LAN "10.0.0.1"

enum { QUEUE = 21 };

/*
 * Rules for the router, in the form iptables-restore reads: the helper in raw
 * PREROUTING, DNAT of port 21, and packets of such connections with at least
 * one byte of TCP payload to queue 21 (see payload_match.c for the program).
 */
#define HAS_PAYLOAD                                                                                \
	"-m bpf --bytecode \"8,177 0 0 0,80 0 0 12,116 0 0 4,100 0 0 2,12 0 0 0,7 0 0 0,80 0 0 "   \
	"0,6 0 0 "                                                                                 \
	"65535\" "
#define RULES_HELPER "*raw\n-A PREROUTING -i wan -p tcp --dport 21 -j CT --helper sane\nCOMMIT\n"
#define RULES_DNAT                                                                                 \
	"*nat\n-A PREROUTING -d " PUBLIC " -p tcp --dport 21 -j DNAT --to " SERVER ":21\nCOMMIT\n"
#define RULES_QUEUE                                                                                \
	"*mangle\n-A PREROUTING -p tcp -m conntrack --ctorigdstport 21 --ctstate "                 \
	"ESTABLISHED " HAS_PAYLOAD "-j NFQUEUE --queue-num 21\nCOMMIT\n"

/* A script for run(): nft gives new control connections a helper, at a priority of prerouting. */
#define NFT_HELPER(table, type, priority)                                                          \
	"nft -f - <<'END'\n"                                                                       \
	"table inet " table "\n"                                                                   \
	"delete table inet " table "\n"                                                            \
	"table inet " table " {\n"                                                                 \
	"ct helper h {\n"                                                                          \
	"type \"" type "\" protocol tcp\n"                                                         \
	"}\n"                                                                                      \
	"chain c {\n"                                                                              \
	"type filter hook prerouting priority " priority ";\n"                                     \
	"tcp dport 21 ct state new ct helper set \"h\"\n"                                          \
	"}\n"                                                                                      \
	"}\n"                                                                                      \
	"END\n"

struct lab {
	int client, router, server; /* namespaces, see netns_enter() */
};

/* Makes a namespace, enters it, @returns a descriptor. */
int netns_new(void);
void netns_enter(int ns);
/* Three namespaces joined by veth pairs; the router forwards. Leaves the
 * process in the router's. */
void lab_up(struct lab *ret_lab);
/* Sockets of @ns, once its routes are there, do not send data again within a minute, however slow
 * the machine is: for programs that hold a segment back, or look at one after the other. */
void netns_never_repeats(int ns);
/* Neither client nor server. */
void lab_never_repeats(const struct lab *lab);
/* Runs a shell script in the present namespace; a failure is broken(). */
void run(const char *script);
/* Loads rules into the present namespace, beside those that are there. */
void rules(const char *text);

/* --- tcp.c: sockets --- */

struct endpoint {
	uint32_t addr; /* network byte order */
	uint16_t port; /* host byte order */
};

struct tuple {
	struct endpoint src, dst;
};

struct endpoint ep(const char *addr, uint16_t port);
int tcp_listen(int ns, struct endpoint at);
/* @returns a connected socket, or -errno (-ETIMEDOUT after @ms). A @from of
 * port 0 is any port. */
int tcp_connect(int ns, struct endpoint from, struct endpoint to, int ms);
/* Sends a SYN, and leaves the rest to the kernel. */
void tcp_send_syn(int ns, struct endpoint from, struct endpoint to);
int tcp_accept(int listener, int ms);
struct endpoint tcp_local(int fd);
struct endpoint tcp_peer(int fd);
void tcp_send(int fd, const void *data, size_t len);
/* How often the socket had to send something again. */
unsigned int tcp_retransmissions(int fd);
/* Nothing is left that the peer has not acknowledged. */
bool tcp_all_acked(int fd);
/* Reads exactly @len bytes and compares them; false also on a timeout. */
bool tcp_expect(int fd, const void *data, size_t len);
/* False if nothing becomes readable within @ms. */
bool readable(int fd, int ms);

/* A control connection through the lab: client, accepted, listening socket. */
struct control {
	int client, server, listener;
	struct endpoint from; /* the client's */
};

/* The tuples of the connection as dialled. */
struct tuple control_tuple(const struct control *ctl);
/* Opens one more control connection to the same listener. */
void control_again(const struct lab *lab, const struct control *ctl, struct control *ret_ctl);
void control_open(const struct lab *lab, struct control *ret_ctl);

/* --- packet.c: whole IPv4/TCP packets --- */

enum { PACKET_MAX = 4096 };

struct packet {
	uint32_t id; /* in the queue */
	size_t len;
	uint8_t data[PACKET_MAX];
};

struct endpoint packet_src(const struct packet *p);
struct endpoint packet_dst(const struct packet *p);
uint32_t packet_seq(const struct packet *p);
uint32_t packet_ack(const struct packet *p);
void packet_set_seq(struct packet *p, uint32_t seq);
size_t packet_payload_len(const struct packet *p);
const uint8_t *packet_payload(const struct packet *p);
/* New payload, IP length and checksums follow. */
void packet_set_payload(struct packet *p, const void *data, size_t len);
void packet_checksum(struct packet *p);
/* Sees the IPv4 packets that arrive at @ifname of the present namespace. */
int capture_open(const char *ifname);
/* The next IPv4/TCP packet that arrived; false after @ms without one. */
bool capture_next(int fd, struct packet *ret_p, int ms);

/* --- nl.c: netlink requests --- */

enum { MSG_MAX = 8192 };

struct mnl_socket *nl_open(void);
void nl_close(struct mnl_socket *nl);
void nl_close_all(void);
/* Starts a request of netfilter's @subsys in @buf (MSG_MAX bytes). */
struct nlmsghdr *nl_start(void *buf, unsigned int subsys, unsigned int type, unsigned int flags,
	uint8_t family, uint16_t res_id);
/* Sends messages that lie back to back, in one sendmsg. */
int nl_send(struct mnl_socket *nl, const void *msgs, size_t len);
/* Waits for the answer to request @seq; other messages go to @cb.
 * @returns 0 or -errno, -ETIMEDOUT if none came. */
int nl_wait(struct mnl_socket *nl, uint32_t seq, mnl_cb_t cb, void *data);
/* nl_send() and nl_wait() of one message. */
int nl_talk(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *data);
/* Receives one datagram before the deadline; @returns its length or -errno. */
int nl_recv(struct mnl_socket *nl, void *buf, size_t size, int ms);

/* Messages that lie back to back. */
struct nl_batch {
	_Alignas(struct nlmsghdr) uint8_t buf[2 * MSG_MAX];
	size_t len;
};

/* @returns the message's sequence number. */
uint32_t nl_append(struct nl_batch *b, const struct nlmsghdr *nlh);
/* The next answer must be the one to @seq; @returns its 0 or -errno. */
int nl_next_answer(struct mnl_socket *nl, uint32_t seq);

/* --- ct.c: conntrack and expectations --- */

struct expect {
	struct tuple master; /* any tuple of the control connection */
	struct tuple tuple;  /* the mask leaves out tuple.src.port alone, */
	bool source_port;    /* or nothing */
	struct endpoint real;
	bool nat; /* to @real, nat-follow-master */
	uint32_t nat_dir;
	uint32_t timeout;   /* s; 0 is left out */
	const char *helper; /* NULL is left out */
};

struct ct_view {
	struct tuple orig, repl;
	uint32_t status;
	char helper[32];
	struct {
		bool set;
		uint32_t pos, before, after;
	} adj[2]; /* by direction */
};

struct seqadj {
	int by;  /* CTA_TUPLE_ORIG or CTA_TUPLE_REPLY */
	int dir; /* CTA_SEQ_ADJ_ORIG or CTA_SEQ_ADJ_REPLY */
	uint32_t pos;
	int32_t before, after;
	bool liberal; /* in the same message, in both directions */
};

void put_tuple(struct nlmsghdr *nlh, int type, const struct tuple *t);
struct tuple tuple_of(const struct packet *p);
bool endpoint_eq(struct endpoint a, struct endpoint b);
bool tuple_eq(const struct tuple *a, const struct tuple *b);

/* An expectation of the usual form: PASV of @ctl, announced and real port. */
struct expect expect_pasv(const struct control *ctl, uint16_t announced, uint16_t real);
struct nlmsghdr *expect_msg(void *buf, const struct expect *e, unsigned int flags);
/* Creates it, and no other may be there: 0 or -errno. */
int expect_add(struct mnl_socket *nl, const struct expect *e);
/* The same without NLM_F_EXCL. */
int expect_add_or_change(struct mnl_socket *nl, const struct expect *e);
/* Deletes the one with that tuple. */
int expect_del(struct mnl_socket *nl, const struct expect *e);
struct expect_view {
	struct tuple master, tuple;
	struct endpoint real; /* as in struct expect */
	uint32_t timeout;     /* s, what is left of it */
};

/* What a message says of an expectation. */
struct expect_view expect_view_of(const struct nlmsghdr *nlh);
/* How many expectations there are; the last one goes to @ret_last, if any. */
int expect_list(struct mnl_socket *nl, struct expect_view *ret_last);

struct nlmsghdr *seqadj_msg(void *buf, const struct tuple *t, const struct seqadj *adj);
int seqadj_set(struct mnl_socket *nl, const struct tuple *t, const struct seqadj *adj);
int ct_get(struct mnl_socket *nl, const struct tuple *t, struct ct_view *ret_view);
/* Has conntrack forget the connection with that original tuple. */
int ct_del(struct mnl_socket *nl, const struct tuple *t);

/* --- cthelper.c: userspace helpers --- */

/* Registers the disabled userspace helper @name for TCP over IPv4: 0 or -errno. */
int helper_register(struct mnl_socket *nl, const char *name);
/* Takes it away again, with what it is to its connections. */
int helper_unregister(struct mnl_socket *nl, const char *name);

/* --- queue.c: NFQUEUE --- */

struct queue {
	struct mnl_socket *nl;
	uint16_t num;
};

/* Binds and asks for whole packets; @returns 0 or -errno of the bind. */
int queue_open(struct queue *q, uint16_t num);
/* queue_open(), or broken(). */
void queue_must_open(struct queue *q, uint16_t num);
void queue_close(struct queue *q);
int queue_command(struct queue *q, uint8_t command);
bool queue_next(struct queue *q, struct packet *ret_p, int ms);
/* @data NULL leaves the packet as it is. */
struct nlmsghdr *verdict_msg(
	void *buf, const struct queue *q, uint32_t id, const void *data, size_t len);
void queue_accept(struct queue *q, const struct packet *p);
/* Accept with the packet's present bytes. */
void queue_replace(struct queue *q, const struct packet *p);
/* As queue_replace(), but asks for an answer: 0 or -errno. */
int queue_replace_acked(struct queue *q, const struct packet *p);

#endif
