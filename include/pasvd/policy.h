/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - what may be opened
 *
 * An offer, what conntrack knows of its connection and the admin's rules give an expectation, or
 * the reason why not. The only place that knows what passes. Pure: same input, same answer.
 */
#ifndef PASVD_POLICY_H
#define PASVD_POLICY_H

#include "pasvd/ct_ops.h"
#include "pasvd/ftp.h"
#include "pasvd/quota.h"
#include "pasvd/reason.h"
#include "pasvd/strict.h"
#include "pasvd/trust.h"

enum {
	POLICY_LOWEST_PORT = 1024,  /* under which nothing is ever opened */
	POLICY_EXPECT_SECONDS = 60, /* clients connect at once, or not at all */
	/* servers connect when the transfer begins, which may wait for a tape */
	POLICY_EXPECT_SECONDS_ACTIVE = 300,
	POLICY_ON_DEMAND_SECONDS = 2, /* an expectation for a connection that is there already */
	POLICY_PORT_TRIES = 8,        /* announced ports tried on a clash, the first one included */
	/* a mirror has as many ports open that nobody used yet as it runs transfers at once, and
	 * curl runs 300 at most; by default the kernel has room for 4096 expectations */
	POLICY_OPEN_PORTS = 300,
	POLICY_LIST_MAX = 32, /* entries of each list below */
};

#define POLICY_CONNMARK     0xf0000000U /* unless the admin wants other bits; TLS is 0x40000000 */
#define POLICY_NO_INTERFACE UINT32_MAX  /* the index of an interface that is not there */

struct port_range {
	uint16_t low, high; /* both belong to it */
};

struct network {
	struct addr addr; /* ADDR_NONE: every address */
	uint8_t bits;     /* of the prefix: 0..32, 0..128 */
};

/* What is written in place of an address of ours that is private too (a router behind a router). */
struct external {
	struct network peer; /* to which it is announced, */
	struct addr known;   /* if it knows us by this address; ADDR_NONE: by any, */
	uint32_t indev;      /* and its packets come in by the interface of this index; 0: by any */
	struct addr addr;
};

/* What becomes of a client's wish for TLS, after which no offer can be read. */
enum tls_mode {
	TLS_PASS, /* it goes on, and no port is opened */
	/* it goes on, and a port of the server's range is opened when the client on-demand SYNs */
	TLS_ON_DEMAND,
	TLS_REFUSE, /* it is made an unknown command */
};

struct tls_ports {
	struct network server; /* whose passive ports */
	struct port_range ports;
};

/* Ports of its own on which a client behind this router waits for servers elsewhere. */
struct active_ports {
	struct network client; /* more than one address: of clients that nobody translates */
	struct port_range ports;
};

struct tls_rule {
	struct network server;
	enum tls_mode mode;
};

struct policy {
	uint16_t zone;                  /* conntrack zone of the queue's packets */
	uint32_t expect_seconds;        /* how long an expectation waits: for a client, */
	uint32_t expect_seconds_active; /* and for a server, after PORT or EPRT */
	uint32_t open_ports; /* unused ones of one client, in all its sessions; 0: any number */
	struct quota_limits limits;
	/* announced ports are taken from it; low is 0: the listener's own port is */
	struct port_range announce;
	size_t n_deny, n_foreign, n_external;
	struct port_range deny[POLICY_LIST_MAX]; /* data ports that are never opened */
	/* third parties that may be named (RFC 2577 advises against it) */
	struct network foreign[POLICY_LIST_MAX];
	struct external external[POLICY_LIST_MAX]; /* the first that fits counts */
	struct strict strict;

	uint32_t connmark; /* the four bits of a connection's mark that are ours (trust.h) */
	size_t n_tls_ports, n_tls_rule, n_implicit;
	struct tls_ports tls_ports[POLICY_LIST_MAX];
	struct tls_rule tls_rule[POLICY_LIST_MAX]; /* the first that fits counts */
	/* control ports, as dialled, that are TLS from the first byte on */
	struct port_range implicit[POLICY_LIST_MAX];
	/* index of the interface by which clients behind this router come in; 0: it is not there */
	uint32_t lan;
	size_t n_lan_ports, n_active_ports, n_own;
	/* passive ports of the servers elsewhere that those clients visit */
	struct port_range lan_ports[POLICY_LIST_MAX];
	struct active_ports active_ports[POLICY_LIST_MAX];
	struct addr own[POLICY_LIST_MAX]; /* of the servers that are configured */
};

/* What holds by default. No port is denied: vsftpd, for one, takes passive ports at random from
 * 1024 up, so any list would refuse some of its transfers. */
extern const struct policy policy_default;

struct plan {
	struct endpoint announce; /* where the other side is to connect to */
	struct expect expect;
};

bool network_has(const struct network *n, const struct addr *a);

/* An IPv4 address that only its own network reaches: RFC 1918, 3927 and 6598. */
bool addr_is_private(const struct addr *a);

/* `speaker`: the direction of the line that offers; `indev`: the index of the interface by which
 * the other side's packets come in, 0 if that is not known. REASON_OPENED: *ret_plan is filled in,
 * for the first port to be tried. Any other reason: untouched. */
enum reason policy_plan(const struct policy *policy, const struct ftp_offer *offer,
	enum dir speaker, const struct ct_view *view, uint32_t indev, struct plan *ret_plan);

/* True if the server is known to be behind this router, whoever its client is: somebody translates
 * its address, or it is configured. */
bool policy_is_own_server(const struct policy *policy, const struct ct_view *view);

bool policy_range_has(const struct port_range *range, uint16_t port);

/* What holds for the server; unless there is a rule: TLS_ON_DEMAND if it has a range, else
 * TLS_PASS. */
enum tls_mode policy_tls_mode(const struct policy *policy, const struct addr *server);

/* Whether the client of a control connection with `server` that is TLS gets this port of it. */
bool policy_tls_opens(const struct policy *policy, const struct addr *server, uint16_t port);

/* True if a control connection that dialled this port is TLS from the first byte on. */
bool policy_is_implicit(const struct policy *policy, uint16_t dialled);

/* Whether any port is opened on demand. */
bool policy_has_on_demand(const struct policy *policy);

/* The plan for a data connection to `port` that the client of the control connection `view`, which
 * is TLS, has begun, with a packet that came in by the interface `indev`. REASON_OPENED,
 * REASON_NO_RANGE: it is no port of that server's range, or REASON_DENIED_PORT; then *ret_plan is
 * untouched. */
enum reason policy_plan_on_demand(const struct policy *policy, const struct ct_view *view,
	uint32_t indev, uint16_t port, struct plan *ret_plan);

/* Likewise for one to `port` of the client, that the server has begun. */
enum reason policy_plan_on_demand_active(const struct policy *policy, const struct ct_view *view,
	uint16_t port, struct plan *ret_plan);

/* NAT changes an address or a port of the connection. */
bool policy_is_translated(const struct ct_view *view);

/* Moves the plan to the next port after a clash: within the announced range, and with as many
 * digits as the real one, so that after 65535 comes 10000, and after 9999 POLICY_LOWEST_PORT.
 * False: without NAT there is no other port. */
bool policy_next_port(const struct policy *policy, struct plan *plan);

#endif
