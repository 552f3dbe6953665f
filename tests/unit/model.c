/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model.c - random sessions through a random network, against an ideal editor
 *
 * Theory of operation. A client and a server talk FTP through the core and the kernel's sequence
 * adjustment (fake_ct.c); both are behind NAT, over IPv4 or IPv6, so that offers are rewritten in
 * either direction. Each direction is a flow: its sender keeps the bytes until they are
 * acknowledged, cuts them into segments of any size, and sends them again at will; the network in
 * front of the router and the one behind it lose, double and reorder packets. What the receiver
 * ought to see is known when the sender writes a line: the line, with the address that the receiver
 * knows the sender by, and the first port that is free: some are taken, each offer has ports of its
 * own. Checked after every step:
 *   - each byte that reaches the receiver, for the first time or again, is the one that belongs at
 *     its place;
 *   - no ACK that reaches the sender is for more than it sent;
 * and at the end: everything was received, and everything acknowledged.
 *
 * In half of the sessions the network is perfect and the sender never repeats anything, and sends a
 * small segment only when nothing is in flight (Nagle): then a byte that is held and never
 * acknowledged is a session that stands still. In some of the others the sender repeats nothing but
 * its first segment, as after a timeout (RFC 6298): then an ACK that says too little for ever is
 * one.
 *
 * Some of what reaches the router is not what the sender sent there: bytes that the receiver has
 * come again with another content, which may open nothing; segments come from so far away that no
 * receiver would take them, and have to be dropped; the queue overflows, and all that waits is
 * lost. A line that was received may come again while no daemon runs: then nothing of it may be new
 * to the receiver. Some connections end at any step, and the next one has the same ends and finds
 * the old one in the table.
 *
 * Some clients are in the LAN, and their servers elsewhere. What the rules do at a SYN is done
 * here: they mark its connection and queue it, but for those beyond their limit. It is repeated,
 * also with another number or with data, and in the middle of the connection that it began. If the
 * daemon that reads the client's first line has not seen the SYN to which the server answered, then
 * the session is not trusted: it opens nothing, and its lines stay as they are.
 *
 * In some the daemon is killed at any packet, which may be lost with it, or behind any request to
 * conntrack, and started again; not behind one for a port that was refused: what was announced then
 * leads nowhere. Segments are whole lines, since bytes that are held when it is killed are lost;
 * and a PASV has its reply before the next, since the kernel has the shift of the last one alone.
 * An offer of which the successor has not seen enough may pass as it is, but not once it was
 * rewritten, and all else is ideal.
 *
 * Time does not exist: whatever may happen next happens next, at random. usage: model [SEED
 * [PACKETS]]; a failure prints the seed of its session.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_ct.h"
#include "login.h"
#include "packet.h"
#include "pasvd/array.h"
#include "pasvd/engine.h"
#include "pasvd/ftp_fit.h"

enum {
	STREAM_MAX = 8192,
	COMMANDS_MAX = 24,
	HOP_MAX = 64,
	PACKET_ROOM = 1024,
	SEGMENT_MAX = 200,
	WINDOW = 512,
	STEPS_MAX = 200000,
	STRIPES = 29, /* of ports: at least one for each command */
	STRIPE = 2048,
	PASSIVE_AT_ONCE = 4, /* that the core pairs */
	LINES_MAX = 4 * COMMANDS_MAX + 3,
	FAR = 1 << 21, /* bytes, to either side */
	LAN = 1,       /* interfaces */
	WAN,
	DMZ
};

/* What a packet brings. */
enum kind {
	SENT,  /* what was sent */
	OTHER, /* other bytes in place of some that the receiver has */
	STRAY  /* bytes from far away */
};

/* Packets on one side of the router. */
struct hop {
	unsigned n;
	struct {
		bool doubled; /* it was taken out once, and stays for one more time */
		enum kind kind;
		size_t len;
		uint8_t p[PACKET_ROOM];
	} packet[HOP_MAX];
};

struct flow {
	uint32_t isn;
	uint8_t sent[STREAM_MAX], ideal[STREAM_MAX];
	size_t sent_len, ideal_len; /* written by the application, and what should come of it */
	size_t una, nxt;            /* offsets in `sent` */
	bool probed;                /* the end was sent again, and the beginning not since */
	/* of `sent`: a segment ended in front of it when it was sent first */
	bool ends[STREAM_MAX + 1];
	bool have[STREAM_MAX]; /* of `ideal`, by the receiver */
	size_t rcv_nxt;        /* offset in `ideal` */
	/* where each line ends in `sent` and `ideal` */
	unsigned lines;
	size_t line_sent[LINES_MAX], line_ideal[LINES_MAX];
	struct hop before, behind; /* the router */
};

struct model {
	uint64_t seed, random;
	unsigned long packets;
	bool perfect;   /* the network, and Nagle's sender */
	bool closed;    /* the daemon may rely on it that nothing passes while none runs */
	bool mortal;    /* the daemon; the sender has one segment in flight, and repeats it */
	bool plodding;  /* the sender repeats its first segment only */
	bool eager;     /* the client does not wait for the greeting */
	bool is_new;    /* the connection: conntrack has seen no answer to its SYN */
	bool syn_seen;  /* that of the connection, by the daemon that runs */
	bool untrusted; /* the session */
	unsigned depth; /* commands under way at most */
	unsigned offers;
	uint8_t family;
	const struct ends *ends;
	struct fake_ct ct;
	struct fake_conn *conn;
	struct engine engine;
	struct flow flow[2]; /* by enum dir */
	unsigned commands, issued, answered;
	unsigned opens;      /* offers that are to open a port */
	size_t greeting_end; /* offset in `ideal` */
	const struct exchange *exchange[COMMANDS_MAX];
	unsigned reply_lines[COMMANDS_MAX]; /* of the server, up to its end */
	unsigned kill_after;                /* so many changes in conntrack; 0: not */
	bool is_killed;                     /* then: */
	struct fake_conn found;             /* what a successor finds */
};

/* The ends of a connection: text that grows, shrinks, or stays as long. */
struct ends {
	const char *client, *seen, *dialled, *listener;
	uint32_t indev[2]; /* by enum dir */
};

static const struct ends ends[] = {
	{"192.168.1.5:40000", "8.8.4.4:40000", "8.8.8.8:21", "10.0.0.2:21", {0, 0}},
	{"192.168.1.5:40000", "203.0.113.111:61000", "10.0.0.3:21", "10.0.0.2:21", {WAN, LAN}},
	{"192.168.1.5:40000", "198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21", {WAN, DMZ}},
	{"10.1.1.1:40000", "10.2.2.2:40000", "203.113.113.113:21", "10.0.0.2:21", {WAN, LAN}},
	{"10.1.1.1:40000", "203.113.113.113:40000", "9.0.0.2:21", "10.0.0.2:21", {0, 0}},
	{"[fd00:1::5]:40000", "[2001:db8:1111:2222:3333:4444:5555:6666]:40000", "[2001:db8::1]:21",
		"[fd00::2]:21", {WAN, DMZ}},
	{"[fd00:1:2:3:4:5:6:7]:40000", "[2001:db8::5]:40000", "[2001:db8::1]:21", "[fd00::2]:21",
		{WAN, LAN}},
	{"[fd00:1::5]:40000", "[fd00:2::6]:40000", "[2001:db8::1]:21", "[fd00::2]:21", {WAN, DMZ}},
	{"198.51.100.2:40000", "198.51.100.2:40000", "203.0.113.1:21", "203.0.113.1:21",
		{WAN, DMZ}},
	{"[2001:db8::5]:40000", "[2001:db8::5]:40000", "[2001:db8::1]:21", "[2001:db8::1]:21",
		{WAN, LAN}},
	{"192.168.1.5:40000", "203.0.113.111:61000", "8.8.8.8:21", "8.8.8.8:21", {LAN, WAN}},
	{"192.168.1.5:40000", "8.8.4.4:40000", "198.51.100.2:21", "198.51.100.2:21", {LAN, WAN}},
	{"10.1.1.1:40000", "203.113.113.113:40000", "9.0.0.2:21", "9.0.0.2:21", {LAN, DMZ}},
	{"192.168.1.5:40000", "192.168.1.5:40000", "9.0.0.2:21", "9.0.0.2:21", {LAN, WAN}},
	{"[fd00:1::5]:40000", "[2001:db8:1111:2222:3333:4444:5555:6666]:40000",
		"[2001:db8:1::1]:21", "[2001:db8:1::1]:21", {LAN, WAN}},
	{"[2001:db8:2::5]:40000", "[2001:db8:2::5]:40000", "[2001:db8::1]:21", "[2001:db8::1]:21",
		{LAN, DMZ}},
};

/* In text, @ is an endpoint as six numbers, % the address, ^ the same with all its zeros, and # the
 * port. */
static const struct exchange {
	const char *command, *reply;
	uint8_t family; /* ADDR_NONE: any */
} exchange[] = {
	{"PASV", "227 Entering Passive Mode (@).", ADDR_IP4},
	{"PASV", "227 @", ADDR_IP4},
	{"PASV", "227 In mode 1, 2,3 of 9: =@ bytes 1,2", ADDR_IP4},
	{"PASV", "227 (@) \x01\x02 and a tail that goes on for longer than any announcement",
		ADDR_IP4},
	{"PASV", "227-Entering\r\n (@)\r\n227 End", ADDR_IP4},
	{"PASV", "500 not now 1,2,3,4,5,6", ADDR_NONE},
	{"NOOP", "200 (|||50000|) 10,0,0,2,195,80", ADDR_NONE},
	{"LIST", "150 coming\r\n226 done", ADDR_NONE},
	{"STAT", "211-Status\r\n227 (10,0,0,2,0,22)\r\n 1,2,3,4,5,6\r\n211 End", ADDR_NONE},
	{"EPSV", "229 Entering Extended Passive Mode (|||#|)", ADDR_NONE},
	{"PORT @", "200 ok", ADDR_IP4},
	{"port @ ", "200 ok", ADDR_IP4},
	{"PORT @", "500 no", ADDR_IP4},
	{"\xff\xf4PORT @", "200 ok", ADDR_IP4},
	{"EPRT |1|%|#|", "200 ok", ADDR_IP4},
	{"EPRT ,1,%,#,", "522 no", ADDR_IP4},
	{"EPRT |2|%|#|", "200 ok", ADDR_IP6},
	{"EPRT !2!^!#!", "200 ok", ADDR_IP6},
	{"EPRT |2|%|#|", "500 no", ADDR_IP6},
};

static const struct exchange logging_in = {"USER u", "230 in", ADDR_NONE};

static const struct policy policy = {/* no port is denied */
	.expect_seconds = POLICY_EXPECT_SECONDS,
	.expect_seconds_active = POLICY_EXPECT_SECONDS,
	.connmark = POLICY_CONNMARK};

static uint32_t below(struct model *m, uint32_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (uint32_t)(m->random >> 32) % n;
}

static bool chance(struct model *m, uint32_t percent)
{
	return below(m, 100) < percent;
}

static void fail(const struct model *m, const char *what, enum dir dir)
{
	const struct flow *f = &m->flow[dir];

	fprintf(stderr,
		"model: seed %llu%s: %s: %s (sent %zu, next %zu, acknowledged %zu; ideal %zu, "
		"received "
		"%zu)\n",
		(unsigned long long)m->seed, m->perfect ? ", perfect network" : "",
		dir == DIR_REPLY ? "server to client" : "client to server", what, f->sent_len,
		f->nxt, f->una, f->ideal_len, f->rcv_nxt);
	fprintf(stderr, "sent  \"%.*s\"\nideal \"%.*s\"\n", (int)f->sent_len, (const char *)f->sent,
		(int)f->ideal_len, (const char *)f->ideal);
	exit(1);
}

static size_t put_six(char *buf, const struct endpoint *e)
{
	size_t n = addr_ip4_text(&e->addr, ',', (uint8_t *)buf);

	return n + (size_t)sprintf(buf + n, ",%d,%d", e->port >> 8, e->port & 255);
}

static size_t put_address(char *buf, const struct endpoint *e)
{
	return addr_text(&e->addr, (uint8_t *)buf);
}

static size_t put_zeros(char *buf, const struct endpoint *e)
{
	size_t n = 0;

	for (size_t i = 0; i < ADDR_IP6_LEN; i += 2)
		n += (size_t)sprintf(
			buf + n, "%s%02X%02x", i ? ":" : "", e->addr.byte[i], e->addr.byte[i + 1]);
	return n;
}

static size_t put_port(char *buf, const struct endpoint *e)
{
	return (size_t)sprintf(buf, "%u", e->port);
}

/* Appends `text`, with the endpoint where it belongs, and the line's end to a stream. What is
 * rewritten is `canonical`. */
static size_t put_text(
	uint8_t *stream, size_t len, const char *text, const struct endpoint *e, bool canonical)
{
	for (; *text; text++) {
		char *buf = (char *)stream + len;

		switch (*text) {
		case '@':
			len += put_six(buf, e);
			break;
		case '^':
			len += canonical ? put_address(buf, e) : put_zeros(buf, e);
			break;
		case '%':
			len += put_address(buf, e);
			break;
		case '#':
			len += put_port(buf, e);
			break;
		default:
			stream[len++] = (uint8_t)*text;
		}
	}
	memcpy(stream + len, "\r\n", 2);
	return len + 2;
}

/* The line that is made of the one at [line, len) of the stream, in which the endpoint stands at
 * `at`. */
static size_t put_fitting(uint8_t *stream, size_t line, size_t at, size_t len, enum ftp_form form,
	const struct endpoint *listener, const struct endpoint *e)
{
	uint8_t text[FTP_OFFER_MAX], was[FTP_OFFER_MAX];
	struct ftp_offer offer = {.form = form, .at = (uint16_t)(at - line)};
	size_t n = ftp_offer_text(&offer, e, text), rest;

	offer.len = (uint16_t)ftp_offer_text(&offer, listener, was);
	if (ftp_fit(stream + line, len - line, 0, &offer, text, n))
		return len;
	rest = len - at - offer.len;
	memmove(stream + at + n, stream + at + offer.len, rest);
	memcpy(stream + at, text, n);
	return at + n + rest;
}

/* Appends a reply whose endpoint is `e` in place of `real`. */
static size_t put_reply(uint8_t *stream, size_t len, const char *text,
	const struct endpoint *listener, const struct endpoint *e)
{
	while (*text) {
		size_t n = strcspn(text, "\r"), mark = strcspn(text, "@#"), line = len;
		char one[256];

		snprintf(one, sizeof(one), "%.*s", (int)n, text);
		len = put_text(stream, line, one, listener, false);
		if (mark < n)
			len = put_fitting(stream, line, line + mark, len,
				text[mark] == '@' ? FTP_FORM_SIX : FTP_FORM_PORT, listener, e);
		text += n + (text[n] ? 2 : 0);
	}
	return len;
}

static size_t text_line_len(const uint8_t *p)
{
	const uint8_t *begin = p;

	while (*p != '\n')
		p++;
	return (size_t)(p - begin) + 1;
}

/* Takes some ports from `announced` on away; it becomes the first that is free. False if all that
 * are tried are taken. */
static bool clash(struct model *m, const struct addr *peer, struct endpoint *announced)
{
	unsigned n = m->depth > 2 || chance(m, 80) ? 0 : 1 + below(m, POLICY_PORT_TRIES);
	struct plan plan = {.announce.port = announced->port,
		.expect = {.translated = policy_is_translated(&m->conn->view),
			.nat.port = announced->port}};

	for (unsigned i = 0; i < n; i++) {
		fake_ct_take(&m->ct, peer, announced);
		if (!policy_next_port(&policy, &plan))
			return false;
		announced->port = plan.announce.port;
	}
	return n < POLICY_PORT_TRIES;
}

/* Notes where the lines end that were written last. */
static void note_lines(struct flow *f)
{
	size_t sent = f->lines ? f->line_sent[f->lines - 1] : 0;
	size_t ideal = f->lines ? f->line_ideal[f->lines - 1] : 0;

	for (; sent < f->sent_len; f->lines++) {
		sent += text_line_len(f->sent + sent);
		ideal += text_line_len(f->ideal + ideal);
		f->line_sent[f->lines] = sent;
		f->line_ideal[f->lines] = ideal;
	}
}

static void write_line(struct model *m, enum dir dir, const char *text)
{
	struct flow *f = &m->flow[dir];
	const struct tuple *ours = &m->conn->view.tuple[dir], *theirs = &m->conn->view.tuple[!dir];
	unsigned stripe = (m->offers + (unsigned)m->seed) % STRIPES;
	struct endpoint listener = {ours->src.addr,
				(uint16_t)(POLICY_LOWEST_PORT + stripe * STRIPE)},
			announced;
	bool offers = strpbrk(text, "@#") != NULL, opens, is_rewritten;

	listener.port = (uint16_t)(listener.port + below(m, STRIPE - POLICY_PORT_TRIES));
	if (chance(m, 10)) /* the next one has one more digit in six numbers */
		listener.port = (uint16_t)((listener.port & ~0xff) + 99);
	announced = (struct endpoint){theirs->dst.addr, listener.port};
	m->offers += offers;
	opens = offers && clash(m, &theirs->src.addr, &announced) && !m->untrusted;
	m->opens += opens;
	is_rewritten = opens && !endpoint_eq(&announced, &listener);
	f->sent_len = put_text(f->sent, f->sent_len, text, &listener, false);
	if (is_rewritten && dir == DIR_REPLY)
		f->ideal_len = put_reply(f->ideal, f->ideal_len, text, &listener, &announced);
	else
		f->ideal_len = put_text(f->ideal, f->ideal_len, text,
			is_rewritten ? &announced : &listener, is_rewritten);
	note_lines(f);
}

/* The number of the line that the byte before `end` of `sent` belongs to. */
static unsigned line_of(const struct flow *f, size_t end)
{
	unsigned i = 0;

	while (f->line_sent[i] < end)
		i++;
	return i;
}

static bool is_received(const struct flow *f, size_t end)
{
	return f->rcv_nxt >= f->line_ideal[line_of(f, end)];
}

static void hop_put(struct hop *h, enum kind kind, const uint8_t *p, size_t n)
{
	if (h->n == HOP_MAX)
		return;
	memcpy(h->packet[h->n].p, p, n);
	h->packet[h->n].doubled = false;
	h->packet[h->n].kind = kind;
	h->packet[h->n++].len = n;
}

/* Takes one packet out: the oldest, or any. False if there is none. */
static bool hop_take(
	struct model *m, struct hop *h, enum kind *ret_kind, uint8_t *p, size_t *ret_len)
{
	unsigned i = m->perfect || chance(m, 70) ? 0 : below(m, h->n ? h->n : 1);

	if (!h->n)
		return false;
	*ret_len = h->packet[i].len;
	*ret_kind = h->packet[i].kind;
	memcpy(p, h->packet[i].p, *ret_len);
	if (!m->perfect && !h->packet[i].doubled && chance(m, 5)) {
		h->packet[i].doubled = true;
		return true;
	}
	memmove(&h->packet[i], &h->packet[i + 1], (--h->n - i) * sizeof(h->packet[0]));
	return !((!m->perfect || m->mortal) && chance(m, 5)); /* or is lost */
}

/* Bytes that would open a port if they were read. */
static void write_other(struct model *m, uint8_t *p, size_t n)
{
	static const char text[] =
		"PORT 192,168,1,5,7,7\r\n227 (10,0,0,2,7,7)\r\nEPRT |1|192.168.1.5|1799|\r\n";
	size_t at = below(m, sizeof(text) - 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)text[(at + i) % (sizeof(text) - 1)];
}

static void send_segment(struct model *m, enum dir dir, enum kind kind, size_t from, size_t len)
{
	struct flow *f = &m->flow[dir];
	uint8_t p[PACKET_ROOM], other[STREAM_MAX];
	struct packet_spec spec = {
		.tuple = m->conn->view.tuple[dir],
		.seq = f->isn + (uint32_t)from,
		.ack = m->flow[!dir].isn + (uint32_t)m->flow[!dir].rcv_nxt,
		.flags = SEG_ACK | SEG_PSH,
		.tcp_options = chance(m, 50) ? PACKET_TIMESTAMPS : 0,
		.payload = kind == SENT ? f->sent + from : other,
		.len = len,
	};

	write_other(m, other, kind == SENT ? 0 : len);
	hop_put(&f->before, kind, p, packet_build(&spec, p));
	m->packets++;
}

/* The next segment's length. Where a server's stream begins nothing says: if two of its first
 * segments have come and neither is its first one, nor next to the other, it is not found. So they
 * are three at most, and a client that does not wait for the greeting gets that in one. */
static size_t next_len(struct model *m, const struct flow *f, size_t left)
{
	size_t len = 1 + below(m, chance(m, 50) ? 8 : SEGMENT_MAX);
	size_t least = f->nxt < m->greeting_end ? (m->greeting_end + 2) / 3 : 1;

	if (len < least)
		len = least;
	return len < left && !m->mortal && !(m->eager && !f->nxt) ? len : left;
}

static bool send_new(struct model *m, enum dir dir)
{
	struct flow *f = &m->flow[dir];
	size_t left = f->sent_len - f->nxt, len;

	if (!left || f->nxt - f->una > WINDOW || (m->perfect && f->nxt != f->una))
		return false;
	len = next_len(m, f, left);
	if (m->mortal && chance(m, 30))
		len = text_line_len(f->sent + f->nxt);
	send_segment(m, dir, SENT, f->nxt, len);
	f->nxt += len;
	f->ends[f->nxt] = true;
	return true;
}

/* From the first byte that is not acknowledged on, in segments cut anew; once before that the end
 * of it, as a tail loss probe does. */
static bool send_again(struct model *m, enum dir dir)
{
	struct flow *f = &m->flow[dir];
	size_t flying = f->nxt - f->una, len, from = f->una;

	if ((m->perfect && !m->mortal) || !flying || !chance(m, 10))
		return false;
	len = 1 + below(m, (uint32_t)(flying < SEGMENT_MAX ? flying : SEGMENT_MAX));
	f->probed = !m->plodding && !f->probed && chance(m, 20);
	if (f->probed)
		from = f->nxt - len;
	if (m->plodding)
		for (len = 1; !f->ends[from + len]; len++)
			continue;
	send_segment(m, dir,
		!m->mortal && is_received(f, from + len) && chance(m, 30) ? OTHER : SENT, from,
		len);
	return true;
}

/* A successor takes what it sees first for its place. */
static bool send_stray(struct model *m, enum dir dir)
{
	const struct flow *f = &m->flow[dir];

	if (m->mortal || m->untrusted || !f->rcv_nxt || !chance(m, 5))
		return false;
	send_segment(m, dir, STRAY, f->nxt + FAR + below(m, UINT32_MAX - 2 * FAR),
		1 + below(m, SEGMENT_MAX));
	return true;
}

/* The queue is full: all that waits is lost. */
static bool overflow(struct model *m)
{
	if ((m->perfect && !m->mortal) || !chance(m, 1))
		return false;
	m->flow[0].before.n = m->flow[1].before.n = 0;
	return true;
}

static bool is_lan(const struct model *m)
{
	return m->ends->indev[DIR_ORIGINAL] == LAN;
}

static void hand_over(
	struct model *m, const struct packet_spec *spec, uint32_t indev, enum action action)
{
	uint8_t p[PACKET_ROOM];
	struct packet packet = {
		.p = p, .cap = sizeof(p), .len = packet_build(spec, p), .indev = indev};
	struct verdict verdict;

	engine_packet(&m->engine, &packet, 0, &verdict);
	m->packets++;
	if (verdict.action != action || verdict.opened || verdict.mark_mask)
		fail(m, "a SYN does something", DIR_ORIGINAL);
}

/* Some client in the LAN connects somewhere. */
static void other_syn(struct model *m)
{
	struct packet_spec spec = {.flags = SEG_SYN, .seq = below(m, UINT32_MAX)};

	spec.tuple.src = packet_endpoint("192.168.1.77:40000");
	spec.tuple.dst = packet_endpoint("192.0.2.1:21");
	spec.tuple.src.port = (uint16_t)below(m, UINT16_MAX);
	hand_over(m, &spec, LAN, ACTION_PASS);
}

static void start(struct model *m)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = "model";
	struct ct_ops ops = fake_ct_ops(&m->ct);

	engine_init(&m->engine, &ops, &policy, key);
	m->engine.sees_all = m->closed;
	m->syn_seen = false;
	if (!is_lan(m) && m->ends->indev[DIR_ORIGINAL])
		other_syn(m);
}

/* Whoever the open port is announced to has read that. */
static bool is_announced(const struct model *m)
{
	const struct flow *f = &m->flow[!m->conn->expect.nat_dir];

	return f->rcv_nxt == f->ideal_len;
}

/* The daemon is killed, and another one begins. It trusts what the mark says. Meanwhile the time of
 * a port may be up. */
static void succeed(struct model *m)
{
	start(m);
	if (is_lan(m) && !(trust_of_mark(POLICY_CONNMARK, m->conn->mark) & TRUST_SEEN))
		m->untrusted = true;
	if (m->conn->expecting && is_announced(m) && chance(m, 5))
		m->conn->expecting = false;
}

/* Behind any change in conntrack the daemon may be killed. */
static void on_change(struct fake_ct *ct)
{
	struct model *m = (struct model *)((char *)ct - offsetof(struct model, ct));

	if (!m->kill_after || --m->kill_after)
		return;
	m->is_killed = true;
	m->found = *m->conn;
}

/* Somebody connects to the open port. */
static bool use_port(struct model *m)
{
	const struct expect e = m->conn->expect;

	if (!m->mortal || !m->conn->expecting || !is_announced(m) || !chance(m, 30))
		return false;
	m->conn->expecting = false;
	engine_expect_ended(&m->engine, &e, false, 0);
	return true;
}

/* --- SYNs of a client in the LAN --- */

static void set_mark(struct model *m, unsigned trust)
{
	m->conn->mark = trust_to_mark(POLICY_CONNMARK, trust);
}

/* One comes to the router, as the rules behind conntrack see it. In the middle of a connection they
 * see none; else they mark that, and queue it if there are not too many. */
static void come_syn(struct model *m, uint32_t isn, bool has_daemon)
{
	const struct packet_spec spec = {
		.tuple = m->conn->view.tuple[DIR_ORIGINAL], .seq = isn - 1, .flags = SEG_SYN};

	if (!m->is_new)
		return;
	m->syn_seen = has_daemon && !chance(m, 20);
	set_mark(m, m->syn_seen || !has_daemon ? TRUST_BEGUN : TRUST_UNREAD);
	if (m->syn_seen)
		hand_over(m, &spec, LAN, ACTION_PASS);
}

/* What comes from the server, or brings data. */
static void come_odd_syn(struct model *m)
{
	enum dir dir = m->family == ADDR_IP6 && chance(m, 50) ? DIR_REPLY : DIR_ORIGINAL;
	const struct packet_spec spec = {
		.tuple = m->conn->view.tuple[dir],
		.seq = below(m, UINT32_MAX),
		.flags = SEG_SYN,
		.extensions = dir == DIR_REPLY,
		.payload = "PORT",
		.len = dir == DIR_ORIGINAL ? 4 : 0,
	};

	hand_over(m, &spec, m->ends->indev[dir], spec.len ? ACTION_DROP : ACTION_PASS);
}

/* Something happens while the client waits for an answer. */
static void before_answer(struct model *m)
{
	const struct tuple *t = &m->conn->view.tuple[DIR_ORIGINAL];

	switch (below(m, 3)) {
	case 0:
		come_odd_syn(m);
		break;
	case 1: /* may take the place of the client's */
		other_syn(m);
		m->syn_seen &= syns_have(&m->engine.syns, t);
		break;
	default:
		start(m);
	}
}

/* Until the server answers the client's last SYN. */
static void shake_hands(struct model *m)
{
	struct flow *f = &m->flow[DIR_ORIGINAL];
	bool came = false;

	m->is_new = true;
	while (!came || chance(m, 30)) {
		if (chance(m, 20)) {
			before_answer(m);
		} else if (chance(m, 10)) { /* another connection, which takes the place of it */
			f->isn += 1 + below(m, 1 << 30);
			came = false;
		} else {
			bool has_daemon = !chance(m, 10);

			come_syn(m, f->isn, has_daemon);
			if (!has_daemon)
				start(m);
			came = true;
		}
	}
	m->is_new = false;
	m->untrusted = !m->syn_seen;
}

/* In the middle of the connection. */
static bool send_syn(struct model *m)
{
	if (!is_lan(m) || !chance(m, 2))
		return false;
	come_syn(m, below(m, UINT32_MAX), true);
	return true;
}

static void check_kind(const struct model *m, enum dir dir, enum kind kind, const struct verdict *v)
{
	bool is_placed =
		trust_of_mark(POLICY_CONNMARK, m->conn->mark) & TRUST_SEEN || !m->untrusted;

	if (kind == STRAY && is_placed && v->action != ACTION_DROP)
		fail(m, "a segment from far away passes", dir);
	if (kind != SENT && v->opened)
		fail(m, "a port is opened by what was not sent", dir);
	if (m->untrusted && v->opened)
		fail(m, "a port is opened in a session that is not trusted", dir);
}

static bool route(struct model *m, enum dir dir)
{
	struct flow *f = &m->flow[dir];
	uint8_t p[PACKET_ROOM];
	struct packet packet = {.p = p, .cap = sizeof(p), .indev = m->ends->indev[dir]};
	struct verdict verdict;
	enum kind kind;

	if (!hop_take(m, &f->before, &kind, p, &packet.len))
		return f->before.n > 0;
	m->kill_after = m->mortal && chance(m, 3) ? 1 + below(m, 4) : 0;
	engine_packet(&m->engine, &packet, 0, &verdict);
	check_kind(m, dir, kind, &verdict);
	m->kill_after = 0;
	if (m->is_killed)
		*m->conn = m->found;
	if (m->is_killed || (m->mortal && chance(m, 2))) { /* before the verdict */
		m->is_killed = false;
		succeed(m);
		return true;
	}
	take_mark(&m->engine, &verdict);
	if (m->mortal && chance(m, 2))
		succeed(m);
	if (verdict.action == ACTION_DROP)
		return true;
	if (!packet_is_sound(p, packet.len))
		fail(m, "a packet that is not sound", dir);
	fake_ct_adjust(m->conn, dir, p, packet.len);
	hop_put(&f->behind, kind, p, packet.len);
	return true;
}

/* Line `i` is to be as it was sent. */
static void expect_as_sent(struct flow *f, unsigned i)
{
	size_t sent = i ? f->line_sent[i - 1] : 0, n = f->line_sent[i] - sent;
	size_t at = i ? f->line_ideal[i - 1] : 0, end = f->line_ideal[i];

	memmove(f->ideal + at + n, f->ideal + end, f->ideal_len - end);
	memcpy(f->ideal + at, f->sent + sent, n);
	f->ideal_len += at + n - end;
	for (; i < f->lines; i++)
		f->line_ideal[i] += at + n - end;
}

/* The receiver gets lines as they were sent: then that is right. */
static void take_as_sent(struct flow *f, size_t at, const uint8_t *p, size_t n)
{
	for (unsigned i = 0; i < f->lines; i++) {
		size_t sent = i ? f->line_sent[i - 1] : 0, len = f->line_sent[i] - sent;
		size_t begin = i ? f->line_ideal[i - 1] : 0, ideal = f->line_ideal[i] - begin;
		const uint8_t *line = p + (begin - at);

		if (begin < at || begin < f->rcv_nxt || begin - at + len > n)
			continue;
		if (begin - at + ideal <= n && memcmp(line, f->ideal + begin, ideal) == 0)
			continue;
		if (memcmp(line, f->sent + sent, len) == 0)
			expect_as_sent(f, i);
	}
}

/* A byte at `at` of `ideal` that has come: its line has that when it is not rewritten. */
static bool is_as_sent(const struct flow *f, size_t at, uint8_t byte)
{
	unsigned i = 0;

	while (f->line_ideal[i] <= at)
		i++;
	at -= i ? f->line_ideal[i - 1] : 0;
	at += i ? f->line_sent[i - 1] : 0;
	return at < f->line_sent[i] && f->sent[at] == byte;
}

static void take_bytes(struct model *m, enum dir dir, size_t at, const uint8_t *p, size_t n)
{
	struct flow *f = &m->flow[dir];

	for (size_t i = 0; i < n; i++) {
		if (m->mortal && at + i < f->rcv_nxt && is_as_sent(f, at + i, p[i]))
			continue; /* its port may have ended, so that it is not rewritten again */
		if (at + i >= f->ideal_len)
			fail(m, "the receiver gets more than there is", dir);
		if (p[i] != f->ideal[at + i])
			fail(m, "the receiver gets another byte", dir);
		f->have[at + i] = true;
	}
	while (f->rcv_nxt < f->ideal_len && f->have[f->rcv_nxt])
		f->rcv_nxt++;
}

/* The receiver's ACK, as the router lets it through to the sender. */
static void acknowledge(struct model *m, enum dir dir)
{
	struct flow *f = &m->flow[dir];
	uint32_t ack = f->isn + (uint32_t)f->rcv_nxt;
	int32_t acked = (int32_t)(fake_ct_ack(m->conn, dir, ack) - f->isn);

	if (acked > (int32_t)f->nxt)
		fail(m, "more is acknowledged than was sent", dir);
	if (acked > (int32_t)f->una && (m->perfect ? !m->mortal || chance(m, 70) : chance(m, 90)))
		f->una = (size_t)acked;
}

/* Who reads a segment reads what it acknowledges. */
static void take_ack(struct model *m, enum dir dir, uint32_t ack)
{
	struct flow *f = &m->flow[dir];
	int32_t acked = (int32_t)(ack - f->isn);

	if (acked > (int32_t)f->nxt)
		fail(m, "more is acknowledged than was sent", dir);
	if (acked > (int32_t)f->una)
		f->una = (size_t)acked;
}

static bool receive(struct model *m, enum dir dir)
{
	struct flow *f = &m->flow[dir];
	uint8_t p[PACKET_ROOM];
	size_t n, header;
	enum kind kind;

	if (!hop_take(m, &f->behind, &kind, p, &n))
		return f->behind.n > 0;
	header = packet_header_len(p);
	if (n > header) {
		size_t at = packet_seq(p) - f->isn;

		if (kind == SENT && m->mortal)
			take_as_sent(f, at, p + header, n - header);
		if (kind == SENT)
			take_bytes(m, dir, at, p + header, n - header);
		else if ((int32_t)(at + n - header - f->rcv_nxt) > 0)
			fail(m, "the receiver gets what was not sent", dir);
		if (kind == SENT && m->mortal)
			take_ack(m, !dir, packet_ack(p));
		acknowledge(m, dir);
	}
	return true;
}

static const struct exchange *any_exchange(struct model *m)
{
	const struct exchange *e;

	do
		e = &exchange[below(m, ARRAY_SIZE(exchange))];
	while (e->family && e->family != m->family);
	return e;
}

/* What the core cannot be sure of, or does not try: what stands behind a reply with lines that look
 * like others, a NOOP during a transfer, a PORT behind another one. */
static bool is_apart(const struct exchange *before, const struct exchange *e)
{
	bool active = strchr(before->command, '#') || strchr(before->command, '@');

	if (strcmp(before->command, "STAT") == 0)
		return true;
	if (strcmp(before->command, "LIST") == 0)
		return strcmp(e->command, "NOOP") == 0;
	return active && (strchr(e->command, '#') || strchr(e->command, '@'));
}

/* Whether the client may write the command, having read the replies to the first `read`. */
static bool may_follow(const struct model *m, unsigned read, const struct exchange *e)
{
	unsigned passive = 0;

	for (unsigned i = read; i < m->issued; i++) {
		if (is_apart(m->exchange[i], e))
			return false;
		passive += strstr(m->exchange[i]->command, "SV") != NULL;
	}
	return passive < (m->mortal ? 1 : PASSIVE_AT_ONCE);
}

/* The client writes commands, `depth` of them ahead of the replies it has read. */
static bool command(struct model *m)
{
	const struct exchange *e = m->issued ? any_exchange(m) : &logging_in;
	const struct flow *f = &m->flow[DIR_REPLY];
	unsigned read = 0;

	while (read < m->answered && f->rcv_nxt >= f->line_ideal[m->reply_lines[read] - 1])
		read++;
	if (m->issued ? !read : !m->eager && f->rcv_nxt < m->greeting_end)
		return false;
	if (m->issued == m->commands || m->issued - read >= m->depth || !may_follow(m, read, e))
		return false;
	m->exchange[m->issued++] = e;
	write_line(m, DIR_ORIGINAL, e->command);
	return true;
}

static bool answer(struct model *m)
{
	unsigned i = m->answered;

	if (i == m->issued || m->flow[DIR_ORIGINAL].rcv_nxt < m->flow[DIR_ORIGINAL].line_ideal[i] ||
		!m->flow[DIR_REPLY].una)
		return false;
	write_line(m, DIR_REPLY, m->exchange[i]->reply);
	m->reply_lines[m->answered++] = m->flow[DIR_REPLY].lines;
	return true;
}

static bool step(struct model *m)
{
	enum dir dir = chance(m, 50) ? DIR_REPLY : DIR_ORIGINAL;

	switch (below(m, 7)) {
	case 0:
		return command(m);
	case 1:
		return answer(m);
	case 2:
		return send_new(m, dir);
	case 3:
		return send_again(m, dir);
	case 4:
		return route(m, dir);
	case 5:
		return send_stray(m, dir) || overflow(m) || send_syn(m) || use_port(m);
	default:
		return receive(m, dir);
	}
}

static bool flow_done(const struct flow *f)
{
	return f->una == f->sent_len && f->rcv_nxt == f->ideal_len;
}

static bool done(const struct model *m)
{
	return m->answered == m->commands && flow_done(&m->flow[0]) && flow_done(&m->flow[1]);
}

static void connect_ends(struct model *m)
{
	const struct ends *e = m->ends;
	struct endpoint client = packet_endpoint(e->client), dialled = packet_endpoint(e->dialled),
			listener = packet_endpoint(e->listener), seen = packet_endpoint(e->seen);

	fake_ct_init(&m->ct);
	m->ct.on_change = on_change;
	m->conn = fake_ct_connect(&m->ct, &client, &dialled, &listener, &seen);
	m->conn->view.id = below(m, 2); /* may be that of the connection before */
	m->family = client.addr.family;
}

/* Numbers often wrap around. They are none of the connection before: a segment with its next number
 * would be taken for one of it (is_next() of meet.c). */
static uint32_t any_isn(struct model *m, uint32_t last)
{
	uint32_t isn;

	do
		isn = chance(m, 50) ? UINT32_MAX - below(m, 2000) : below(m, UINT32_MAX);
	while (isn - last < STREAM_MAX);
	return isn;
}

/* A connection between the ends, of which conntrack has forgotten any other. */
static void begin_connection(struct model *m)
{
	m->commands = 1 + below(m, COMMANDS_MAX);
	m->issued = m->answered = m->offers = m->opens = 0;
	m->untrusted = false;
	connect_ends(m);
	for (int dir = 0; dir < 2; dir++) {
		uint32_t isn = any_isn(m, m->flow[dir].isn);

		memset(&m->flow[dir], 0, sizeof(m->flow[dir]));
		m->flow[dir].isn = isn;
	}
	if (is_lan(m))
		shake_hands(m);
	write_line(m, DIR_REPLY, "220 ready");
	m->greeting_end = m->flow[DIR_REPLY].ideal_len;
}

static void begin(struct model *m, uint64_t seed)
{
	m->seed = seed;
	m->random = (seed + 1) * 0x9e3779b97f4a7c15;
	m->perfect = chance(m, 50);
	m->mortal = m->perfect && chance(m, 50);
	m->closed = chance(m, 50);
	m->depth = chance(m, 60) ? 1 : 1 + below(m, m->mortal ? 2 : EDITS_MAX);
	m->plodding = m->mortal || (m->depth == 1 && chance(m, 50));
	m->ends = &ends[below(m, ARRAY_SIZE(ends))];
	m->eager = is_lan(m) && m->plodding && chance(m, 50);
	m->flow[0].isn = m->flow[1].isn = 0; /* so that the seed alone decides */
	start(m);
}

static void check_trust(const struct model *m)
{
	unsigned trust = trust_of_mark(POLICY_CONNMARK, m->conn->mark);

	if (trust & TRUST_DISTRUSTED ? !m->untrusted : m->untrusted)
		fail(m, "the mark says something else", DIR_ORIGINAL);
	if (!m->mortal && m->ct.addeds != m->opens)
		fail(m, "another number of ports was opened", DIR_ORIGINAL);
}

static void play_steps(struct model *m, unsigned steps)
{
	for (unsigned i = 0; i < steps && !done(m); i++)
		step(m);
}

/* Connections with the same ends, one after the other. All but the last may end at any step. */
static void play(struct model *m, uint64_t seed)
{
	begin(m, seed);
	begin_connection(m);
	while (chance(m, 25)) {
		play_steps(m, below(m, 2000));
		begin_connection(m);
	}
	play_steps(m, STEPS_MAX);
	if (!done(m))
		fail(m, "the session stands still",
			flow_done(&m->flow[0]) ? DIR_REPLY : DIR_ORIGINAL);
	check_trust(m);
}

int main(int argc, char **argv)
{
	static struct model model;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	unsigned long packets = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
	unsigned long sessions = 0;

	do
		play(&model, seed + sessions++);
	while (model.packets < packets);
	printf("%lu packets in %lu sessions, seeds from %llu on\n", model.packets, sessions,
		(unsigned long long)seed);
	return 0;
}
