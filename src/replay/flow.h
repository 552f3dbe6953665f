/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.h - the control connections of a capture, and what happened on them
 *
 * Each is kept to the end of the capture, in the order in which they begin. Memory is bounded by
 * FLOWS_ROOM: what would go beyond it is left out and counted.
 */
#ifndef PASVD_FLOW_H
#define PASVD_FLOW_H

#include "nat.h"
#include "pasvd/engine.h"

enum {
	FLOWS_ROOM = 256 << 20,    /* bytes of connections, events and waiting segments */
	FLOW_EVENTS_MAX = 1 << 18, /* of one connection */
	EVENT_WORD_MAX = 12,       /* letters of a command */
	FLOW_PACKET_MAX = UINT16_MAX,
};

enum event_kind {
	EVENT_COMMAND, /* word; offer */
	EVENT_REPLY,   /* count is its code; offer */
	EVENT_OTHER,   /* count lines in a row that are neither */
	EVENT_OPEN,    /* from, to, listener, announced, rewritten, on_demand */
	EVENT_SHUT,    /* from, to, listener: it was taken back */
	EVENT_VERDICT, /* reason, action */
	EVENT_GAP,     /* count bytes are not in the capture */
};

struct event {
	uint64_t time; /* us since the connection's start */
	enum event_kind kind;
	enum dir dir; /* whose line, packet or bytes it is; with EVENT_OPEN, who listens */
	uint32_t count;
	char word[EVENT_WORD_MAX + 1];
	bool offers;
	/* addr.family is ADDR_NONE in a 229; with EVENT_OPEN that of the line, with EVENT_VERDICT
	 * of the packet's last one */
	struct endpoint offer;
	struct endpoint from; /* port 0: any */
	struct endpoint to, listener, announced;
	bool rewritten; /* the line says something else than `announced` */
	bool on_demand; /* EVENT_OPEN: for a SYN that came */
	enum reason reason;
	enum action action;
};

/* A segment before which bytes are missing. */
struct waiting {
	struct waiting *next;
	struct seg seg;
	size_t len;
	uint8_t packet[]; /* len bytes */
};

/* One direction. */
struct side {
	uint64_t packets;
	/* packets > 0: whose packets these are where they were captured first */
	struct tuple captured;
	struct line line;
	uint8_t text[LINE_MAX_LEN]; /* its buffer */
	uint16_t multi;             /* code of the open multi-line reply, 0 if there is none */
	unsigned n_waiting;
	struct waiting *waiting; /* by sequence number */
};

struct flow {
	struct flow *next;
	struct ct_view view;
	uint64_t start; /* us since 1970 */
	bool beginning; /* its first SYN is there, with: */
	uint32_t isn;
	bool tls;             /* its lines cannot be read */
	struct side side[2];  /* by enum dir */
	bool expecting;       /* then: */
	struct expect expect; /* and it lives */
	uint64_t until;       /* us since 1970 */
	struct event *event;
	size_t n_events, room_events;
	uint64_t left_out; /* events */
	uint64_t missing;  /* bytes */
	uint64_t cut;      /* segments of which the capture has a part */
	uint64_t twice;    /* packets that were captured on the other side of the router as well */
};

struct flows {
	struct engine *engine;
	struct nat nat;
	bool verbose;         /* verdicts of priority debug are events too */
	uint64_t now;         /* us since 1970, never going back */
	struct flow *first;   /* of the list */
	struct flow **last;   /* its end */
	void *by_tuple;       /* tsearch(3): the last one of each original tuple */
	void *expected;       /* tsearch(3): those with an expectation, by its tuple */
	void *on_demand_syns; /* tsearch(3): SYNs to ports on demand */
	struct flow *current; /* whose packet is being looked at, or NULL */
	size_t room;          /* bytes */
	uint64_t n, left_out; /* connections */
	uint64_t packets;     /* in the capture */
	uint64_t control;     /* of control connections */
	uint64_t cut;         /* that are cut off within their headers */
	uint64_t count[REASON_COUNT];
	uint8_t in[FLOW_PACKET_MAX],
		out[FLOW_PACKET_MAX]; /* the packet as captured, and as the core is given it */
};

/* `engine` gets its ct_ops from flow_ct_ops(). */
void flows_init(struct flows *f, struct engine *engine);
void flows_free(struct flows *f);

/* Takes `bytes` from the room; false if there is not as much. flows_give() gives them back. */
bool flows_take(struct flows *f, size_t bytes);
void flows_give(struct flows *f, size_t bytes);

/* The last connection with this original tuple, or NULL. */
struct flow *flows_find(const struct flows *f, const struct tuple *original);

/* A new connection, which starts now. NULL: no room, it is counted as left out. */
struct flow *flows_add(struct flows *f, const struct tuple tuple[2]);

/* It happened now. */
void flow_event(struct flows *f, struct flow *flow, struct event e);

/* False for a SYN that was repeated, or captured on the other side of the router as well. */
bool flows_first_on_demand_syn(struct flows *f, const struct tuple *tuple, uint32_t seq);

/* An order of tuples: less than, equal to or greater than 0. */
int flow_tuple_order(const struct tuple *a, const struct tuple *b);

#endif
