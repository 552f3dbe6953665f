/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.h - a packet and the time go in, a verdict comes out
 *
 * Daemon, unit tests, dialogues, fuzzers and benchmarks all call engine_packet(). On-demand SYNs,
 * which come by another queue, have an entry of their own in ondemand.h, and other routers'
 * expectations in adopt.h.
 */
#ifndef PASVD_ENGINE_H
#define PASVD_ENGINE_H

#include "pasvd/conntab.h"
#include "pasvd/ending.h"
#include "pasvd/gaps.h"
#include "pasvd/masters.h"
#include "pasvd/policy.h"
#include "pasvd/quota.h"
#include "pasvd/syns.h"

/* An opened port that has ended, of which control connection. */
struct ended {
	enum ending how;
	const struct ct_view *view;
	const struct plan *plan;
};

/* How a port came to be opened. */
enum port_mode {
	PORT_PASSIVE,   /* by a reply to PASV or EPSV */
	PORT_ACTIVE,    /* by PORT or EPRT */
	PORT_ON_DEMAND, /* by a SYN; how it ends is not known */
	PORT_MODE_COUNT
};

struct port_count {
	uint64_t opened, ended[ENDING_COUNT];
};

/* What became of an expectation of another router, adopt.h. */
enum adopt_result {
	ADOPT_DONE,      /* it has its NAT */
	ADOPT_UNKNOWN,   /* removed: where its listener is does not follow from it */
	ADOPT_REFUSED,   /* removed, `reason` says why */
	ADOPT_TOO_OFTEN, /* left as it is: some program sends it again and again */
};

/* The pointers are good while on_adopted() runs. */
struct adopted {
	enum adopt_result result;
	enum reason reason;          /* of ADOPT_REFUSED */
	const struct ct_view *view;  /* the control connection */
	const struct expect *expect; /* with its NAT if ADOPT_DONE, else as it came */
};

enum { ADOPT_RECENT = 256 };

/* How often an expectation came lately. */
struct adopt_recent {
	uint64_t who;   /* a hash of its tuple */
	uint64_t since; /* ms */
	uint32_t times;
};

struct engine {
	struct ct_ops ct;
	const struct policy *policy;
	struct conntab tab;
	struct quota quota; /* of the addresses; each session has its own in tab */
	struct masters masters;
	struct syns syns;
	struct adopt_recent recent[ADOPT_RECENT];
	struct gaps gaps;
	/* verdicts by reason; opened: also those with a greater one */
	uint64_t count[REASON_COUNT];
	struct port_count ports[PORT_MODE_COUNT];
	uint64_t evicted;
	/* ms: until then the kernel may have expectations that are not in tab: a predecessor's, or
	 * those of sessions that have not been seen here */
	uint64_t contested_until;
	/* in sessions that nobody has seen; a capture may not have their beginning, and its
	 * ACKs may be for what was rewritten then */
	bool assumes_login;
	/* nothing passes while no pasvd runs (fail-open = no), so no mark has to stop a command */
	bool sees_all;
	bool lossy; /* what a gap lacks went past us, and does not come any more */
	/* called for each, unless NULL, which engine_init() makes it */
	void (*on_ended)(const struct ended *e);
	/* likewise, for a session that has to log in again */
	void (*on_evicted)(const struct ct_view *view);
	/* likewise, for an expectation that came without its NAT */
	void (*on_adopted)(const struct adopted *a);
};

/* A packet that begins with its IP header, in a buffer of `cap` bytes that belongs to the
 * caller. */
struct packet {
	uint8_t *p;
	size_t len, cap;
	uint32_t indev;  /* index of the interface by which it came in; 0: not known */
	bool unverified; /* nobody has looked at its checksum */
};

enum action {
	ACTION_PASS,    /* as it came */
	ACTION_REPLACE, /* by what packet->p, packet->len are now */
	ACTION_DROP     /* TCP will send it again */
};

struct verdict {
	enum action action;
	enum reason reason;
	bool again; /* the reason is about the connection, and was given for it before */
	bool known; /* the control connection is known: view is valid */
	struct ct_view view;
	/* these bits of its mark become those of `mark`, before the packet goes on */
	uint32_t mark, mark_mask;
	enum strict_outcome strict; /* the most that was done about a line in it */
	bool on_demand;             /* with opened: for a SYN that came, ondemand.h */
	bool opened;                /* a port was opened, whatever else was found in the packet: */
	/* what was announced to the other side (by the last offer, if there are several), */
	struct endpoint announce;
	struct endpoint listener; /* and where the listener is */
};

/* `h` is zeros, or has been initialised before: what was never in use need not be cleared.
 * `policy` is used until another one takes its place in h->policy, which may be between any two
 * packets. `key`: CONNTAB_KEY_LEN random bytes. */
void engine_init(
	struct engine *h, const struct ct_ops *ct, const struct policy *policy, const uint8_t *key);

/* As seg_parse(), in the conntrack zone; -1 too if nobody has looked at the packet's checksum, and
 * it is wrong. */
int packet_parse(const struct packet *packet, uint16_t zone, struct seg *ret_seg);

/* Always fills in *ret_verdict. Unless the action is ACTION_REPLACE the packet's bytes are not to
 * be used. `now` in ms of a clock that never goes back. */
void engine_packet(
	struct engine *h, struct packet *packet, uint64_t now, struct verdict *ret_verdict);

/* Ports that ended so, of all modes. */
uint64_t engine_count_ended(const struct engine *h, enum ending how);

/* The kernel says that an expectation has ended, and not since ct.expect_del() asked for it;
 * e->seconds were left of its time. `requested`: some program did ask. All that happened before a
 * packet came has to be reported when ct.report_ends() is called for it. What is not the last port
 * of a connection that we know is not looked at: other programs have expectations too. */
void engine_expect_ended(struct engine *h, const struct expect *e, bool requested, uint64_t now);

/* This router takes over from another: forgets all sessions, of which the kernel knows more by now.
 * They go on as after a restart. */
void engine_forget(struct engine *h);

/* When engine_expire() is to be called, ms; UINT64_MAX: it need not be. */
uint64_t engine_expires_at(struct engine *h);

/* Shuts the ports whose time is up, and asks how those ended after which nothing came in their
 * sessions. The kernel's events of ports have to be reported before. */
void engine_expire(struct engine *h, uint64_t now);

#endif
