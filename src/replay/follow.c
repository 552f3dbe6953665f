/* SPDX-License-Identifier: GPL-2.0-or-later */
/* follow.c - the packets of a capture, handed to the core as the router's queue would
 *
 * The core is given segments with data of control connections, with the addresses that they have
 * before NAT, and with ACKs as if the receiver had got what the core made of the other direction:
 * those in the capture know nothing of it.
 *
 * On the wire the core drops a segment that comes too early, and its sender repeats it. Nobody
 * repeats anything here, so such a segment waits until what is before it comes. It waits in
 * vain if that went past the capture: the receiver acknowledges what is missing, or WAITING_MAX
 * segments wait, or the capture ends. Then the segment is offered to the core as often as it takes
 * for the core to believe the same.
 */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "flow_ct.h"
#include "lines.h"
#include "pasvd/ondemand.h"
#include "pasvd/tls.h"

enum {
	WAITING_MAX = 8,
	US_PER_MS = 1000,
	IP4_TOTAL = 2,
	IP4_ADDRESSES = 12,
	IP6_PAYLOAD = 4,
	IP6_ADDRESSES = 8,
	IP6_HEADER = 40,
	TCP_PORTS = 0,
	TCP_ACK = 8,
};

/* --- bytes of packets --- */

static void follow_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void follow_put_be32(uint8_t *p, uint32_t v)
{
	follow_put_be16(p, (uint16_t)(v >> 16));
	follow_put_be16(p + 2, (uint16_t)v);
}

static bool follow_is_ip6(const uint8_t *p)
{
	return p[0] >> 4 == 6;
}

/* Copies what there is of the packet, as a whole one, to f->in: what is cut off is as if it had not
 * been sent. -1: it is no TCP segment. */
static int follow_read_packet(struct flows *f, const struct frame *frame, struct seg *ret_seg)
{
	uint8_t *p = f->in;

	if (frame->len > sizeof(f->in))
		return -1;
	memcpy(p, frame->p, frame->len);
	if (follow_is_ip6(p) && frame->len >= IP6_HEADER)
		follow_put_be16(p + IP6_PAYLOAD, (uint16_t)(frame->len - IP6_HEADER));
	else if (!follow_is_ip6(p))
		follow_put_be16(p + IP4_TOTAL, (uint16_t)frame->len);
	return seg_parse(p, frame->len, ret_seg);
}

/* What the ACK of direction `dir` would be if the receiver had got what the kernel makes of the
 * other direction. */
static uint32_t follow_shifted_ack(const struct flow *flow, enum dir dir, uint32_t ack)
{
	const struct seqadj *a = &flow->view.seqadj[dir_opposite(dir)];

	return ack + (uint32_t)(seq_after(ack, a->pos) ? a->after : a->before);
}

/* Writes what the packet has before NAT. Checksums are not looked at by the core. */
static void follow_translate(uint8_t *p, const struct seg *seg, const struct tuple *t)
{
	uint8_t *addresses = p + (follow_is_ip6(p) ? IP6_ADDRESSES : IP4_ADDRESSES),
		*tcp = p + seg->tcp;
	size_t len = addr_len(&t->src.addr);

	memcpy(addresses, t->src.addr.byte, len);
	memcpy(addresses + len, t->dst.addr.byte, len);
	follow_put_be16(tcp + TCP_PORTS, t->src.port);
	follow_put_be16(tcp + TCP_PORTS + 2, t->dst.port);
}

/* --- verdicts --- */

/* The line for which the port was opened; NULL: it is not in the packet, whose first event is
 * number `from`. */
static const struct event *follow_offer_of(
	const struct flow *flow, size_t from, const struct event *open)
{
	for (const struct event *e = open; e > flow->event + from;) {
		e--;
		if (e->offers && e->offer.port == open->listener.port)
			return e;
	}
	return NULL;
}

/* What the line said, and whether that is something else than what would be announced. */
static void follow_complete_open(struct event *open, const struct event *line)
{
	open->offer = line->offer;
	open->rewritten =
		line->offer.port != open->announced.port ||
		(line->offer.addr.family && !addr_eq(&line->offer.addr, &open->announced.addr));
}

/* The verdict names what was announced for the last offer; the same address is announced in all
 * that are known by the same one. */
static void follow_complete_opens(struct flow *flow, size_t from, const struct verdict *v)
{
	const struct addr *known = NULL;

	for (size_t i = flow->n_events; i-- > from;) {
		struct event *e = &flow->event[i];
		const struct event *line;

		if (e->kind != EVENT_OPEN)
			continue;
		if (!known)
			known = &e->to.addr;
		if (addr_eq(&e->to.addr, known))
			e->announced.addr = v->announce.addr;
		line = follow_offer_of(flow, from, e);
		if (line)
			follow_complete_open(e, line);
	}
}

/* `offers`: there are offers in the packet. That one of them is not read is worth an event, too. */
static bool is_worth_an_event(const struct flows *f, const struct verdict *v, bool offers)
{
	if (v->reason == REASON_OPENED || v->again)
		return false;
	return f->verbose || reason_level(v->reason) < REASON_LEVEL_DEBUG ||
	       (v->reason == REASON_ENCRYPTED && offers);
}

static void follow_verdict(
	struct flows *f, struct flow *flow, enum dir dir, size_t from, const struct verdict *v)
{
	struct event e = {
		.kind = EVENT_VERDICT, .dir = dir, .reason = v->reason, .action = v->action};
	bool offers = false;

	f->count[v->reason]++;
	if (v->opened && v->reason != REASON_OPENED)
		f->count[REASON_OPENED]++;
	if (v->opened)
		follow_complete_opens(flow, from, v);
	for (size_t i = from; i < flow->n_events; i++) {
		if (flow->event[i].offers) {
			e.offer = flow->event[i].offer;
			offers = true;
		}
	}
	e.listener = flow->view.tuple[dir].src;
	if (is_worth_an_event(f, v, offers))
		flow_event(f, flow, e);
}

/* --- segments --- */

/* A segment with data, and where it belongs. */
struct arrival {
	struct flow *flow;
	enum dir dir;
	const uint8_t *p; /* the packet */
	size_t len;
	struct seg seg;
};

static struct verdict follow_ask_engine(struct flows *f, const struct arrival *a)
{
	struct packet packet = {.p = f->out, .len = a->len, .cap = sizeof(f->out)};
	struct verdict v;

	memcpy(packet.p, a->p, a->len);
	follow_translate(packet.p, &a->seg, &a->flow->view.tuple[a->dir]);
	follow_put_be32(
		packet.p + a->seg.tcp + TCP_ACK, follow_shifted_ack(a->flow, a->dir, a->seg.ack));
	f->current = a->flow;
	f->engine->assumes_login = true; /* the capture may begin later than the session */
	engine_packet(f->engine, &packet, f->now / US_PER_MS, &v);
	if (v.mark_mask)
		f->engine->ct.mark(
			f->engine->ct.ctx, &v.view.tuple[DIR_ORIGINAL], v.mark, v.mark_mask);
	return v;
}

/* Where the segment lies in what was read. Too far away from it, it begins anew. */
static enum line_place follow_place_segment(const struct arrival *a, size_t *ret_skip)
{
	struct line *l = &a->flow->side[a->dir].line;
	enum line_place where = line_place(l, a->seg.seq, a->seg.payload_len, ret_skip);

	if (where == LINE_FAR || where == LINE_BEFORE) {
		line_init(l, false, 0);
		return line_place(l, a->seg.seq, a->seg.payload_len, ret_skip);
	}
	return where;
}

/* What is missing before the segment is not in the capture. */
static void follow_skip_gap(struct flows *f, const struct arrival *a)
{
	struct line *l = &a->flow->side[a->dir].line;
	struct event e = {.kind = EVENT_GAP, .dir = a->dir, .count = a->seg.seq - l->next};

	a->flow->missing += e.count;
	flow_event(f, a->flow, e);
	line_skip(l, a->seg.seq, false);
}

/* What is new in the segment: all but `skip` bytes. Of TLS nothing is read. */
static void follow_read_new(struct flows *f, const struct arrival *a, size_t skip)
{
	struct line *l = &a->flow->side[a->dir].line;
	const uint8_t *payload = a->p + a->seg.payload;
	size_t alerts = 0, n = a->seg.payload_len;
	enum tls_content content = tls_content(a->dir, payload, n, &alerts);
	uint32_t begin;

	if (content != TLS_UNCLEAR)
		a->flow->tls = content != TLS_CLEAR;
	if (a->flow->tls)
		skip = n;
	else if (alerts > skip)
		skip = alerts;
	begin = a->seg.seq + (uint32_t)skip;
	if (seq_after(begin, l->next))
		line_begin(l, begin);
	lines_read(f, a->flow, a->dir, payload + skip, n - skip);
}

/* A segment whose turn it is: all of it but `skip` bytes is new, or nothing is. */
static void follow_hand_over(
	struct flows *f, const struct arrival *a, enum line_place where, size_t skip)
{
	size_t from = a->flow->n_events;
	struct verdict v;

	if (where == LINE_NEW)
		follow_read_new(f, a, skip);
	v = follow_ask_engine(f, a);
	follow_verdict(f, a->flow, a->dir, from, &v);
}

/* Puts the segment among those that wait; false if there is no memory for it. */
static bool follow_wait_in_line(struct flows *f, const struct arrival *a)
{
	struct side *side = &a->flow->side[a->dir];
	struct waiting **at = &side->waiting;
	size_t size = sizeof(**at) + a->len;
	struct waiting *w = flows_take(f, size) ? malloc(size) : NULL;

	if (!w)
		return false;
	while (*at && !seq_after((*at)->seg.seq, a->seg.seq))
		at = &(*at)->next;
	*w = (struct waiting){.next = *at, .seg = a->seg, .len = a->len};
	memcpy(w->packet, a->p, a->len);
	*at = w;
	side->n_waiting++;
	return true;
}

/* The first one that waits is handed over, at any rate. */
static void follow_take_first(struct flows *f, struct flow *flow, enum dir dir)
{
	struct side *side = &flow->side[dir];
	struct waiting *w = side->waiting;
	struct arrival a = {flow, dir, w->packet, w->len, w->seg};
	enum line_place where;
	size_t skip = 0;

	side->waiting = w->next;
	side->n_waiting--;
	where = follow_place_segment(&a, &skip);
	if (where == LINE_GAP) {
		follow_skip_gap(f, &a);
		where = follow_place_segment(&a, &skip);
	}
	f->engine->lossy = true; /* the core has seen no more than the capture */
	follow_hand_over(f, &a, where, skip);
	f->engine->lossy = false;
	flows_give(f, sizeof(*w) + w->len);
	free(w);
}

/* Those that wait for nothing any more. */
static void follow_take_ready(struct flows *f, struct flow *flow, enum dir dir)
{
	struct side *side = &flow->side[dir];

	while (side->waiting && (side->n_waiting > WAITING_MAX ||
					!seq_after(side->waiting->seg.seq, side->line.next)))
		follow_take_first(f, flow, dir);
}

static void follow_take_arrival(struct flows *f, const struct arrival *a)
{
	size_t skip = 0;
	enum line_place where = follow_place_segment(a, &skip);

	if (where != LINE_GAP)
		follow_hand_over(f, a, where, skip);
	else if (!follow_wait_in_line(f, a))
		a->flow->missing += a->seg.payload_len;
	follow_take_ready(f, a->flow, a->dir);
}

/* The receiver has everything before `ack`. */
static void follow_on_ack(struct flows *f, struct flow *flow, enum dir dir, uint32_t ack)
{
	struct side *side = &flow->side[dir];

	while (side->waiting && !seq_after(side->waiting->seg.seq, ack)) {
		follow_take_first(f, flow, dir);
		follow_take_ready(f, flow, dir);
	}
}

/* --- packets --- */

/* A SYN of the client begins a connection, unless it is a repeated one. */
static bool follow_begins(const struct flow *flow, const struct seg *seg, enum dir dir)
{
	if (!flow)
		return true;
	if (dir == DIR_REPLY || (seg->flags & (SEG_SYN | SEG_ACK)) != SEG_SYN)
		return false;
	return !flow->beginning || flow->isn != seg->seq;
}

/* The connection of the packet, or NULL if there is no room for one more. */
static struct flow *follow_find_flow(struct flows *f, const struct seg *seg, enum dir dir)
{
	struct tuple tuple[2];
	struct flow *flow;

	nat_tuples(&f->nat, &seg->tuple, dir, tuple);
	flow = flows_find(f, &tuple[DIR_ORIGINAL]);
	return follow_begins(flow, seg, dir) ? flows_add(f, tuple) : flow;
}

/* False for what was captured on the way in and is now captured on the way out. */
static bool is_first_sight(struct flow *flow, const struct seg *seg, enum dir dir)
{
	struct side *side = &flow->side[dir];

	if (side->packets && !tuple_eq(&side->captured, &seg->tuple)) {
		flow->twice++;
		return false;
	}
	side->captured = seg->tuple;
	side->packets++;
	return true;
}

static void follow_on_syn(struct flow *flow, const struct seg *seg, enum dir dir)
{
	struct line *l = &flow->side[dir].line;

	if (dir == DIR_ORIGINAL && !(seg->flags & SEG_ACK)) {
		flow->beginning = true;
		flow->isn = seg->seq;
	}
	if (!line_has_begun(l))
		line_init(l, true, seg->seq + 1);
}

static void follow_on_segment(struct flows *f, const struct arrival *a)
{
	const struct seg *seg = &a->seg;

	if (!is_first_sight(a->flow, seg, a->dir))
		return;
	if (seg->flags & (SEG_FIN | SEG_RST))
		a->flow->view.established = false;
	if (seg->flags & SEG_ACK)
		follow_on_ack(f, a->flow, dir_opposite(a->dir), seg->ack);
	if (seg->flags & SEG_SYN)
		follow_on_syn(a->flow, seg, a->dir);
	else if (seg->payload_len)
		follow_take_arrival(f, a);
}

/* --- on-demand SYNs at ports on demand --- */

static bool is_on_demand(const struct policy *policy, const struct seg *seg)
{
	uint16_t port = seg->tuple.dst.port;

	for (size_t i = 0; i < policy->n_tls_ports; i++) {
		const struct port_range *range = &policy->tls_ports[i].ports;

		if (port >= range->low && port <= range->high)
			return (seg->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN;
	}
	return false;
}

/* The rules hand a SYN to such a port to the core before conntrack. It uses at once what is
 * opened for it. */
static void follow_on_demand_syn(struct flows *f, const struct arrival *a)
{
	struct packet packet = {.p = f->out, .len = a->len, .cap = sizeof(f->out)};
	struct tuple tuple[2];
	struct flow *flow;
	struct verdict v;

	nat_tuples(&f->nat, &a->seg.tuple, DIR_ORIGINAL, tuple);
	if (!flows_first_on_demand_syn(f, &tuple[DIR_ORIGINAL], a->seg.seq))
		return;
	memcpy(packet.p, a->p, a->len);
	follow_translate(packet.p, &a->seg, &tuple[DIR_ORIGINAL]);
	f->current = NULL;
	ondemand_syn(f->engine, &packet, f->now / US_PER_MS, &v);
	f->count[v.reason]++;
	flow = v.known ? flows_find(f, &v.view.tuple[DIR_ORIGINAL]) : NULL;
	if (!flow)
		return;
	if (v.opened)
		flow_ct_used(f, flow);
	if (is_worth_an_event(f, &v, false))
		flow_event(f, flow,
			(struct event){
				.kind = EVENT_VERDICT, .reason = v.reason, .action = v.action});
}

void follow_packet(struct flows *f, const struct frame *frame, uint64_t time)
{
	struct arrival a = {.p = f->in, .len = frame->len};
	bool cut = frame->len < frame->whole;

	f->packets++;
	if (time > f->now)
		f->now = time;
	if (follow_read_packet(f, frame, &a.seg) < 0) {
		f->cut += cut;
		return;
	}
	a.seg.tuple.zone = f->engine->policy->zone;
	if (!nat_is_control(&f->nat, &a.seg.tuple, &a.dir)) {
		if (is_on_demand(f->engine->policy, &a.seg))
			follow_on_demand_syn(f, &a);
		return;
	}
	f->control++;
	a.flow = follow_find_flow(f, &a.seg, a.dir);
	if (!a.flow)
		return;
	a.flow->cut += cut;
	follow_on_segment(f, &a);
}

void follow_other(struct flows *f)
{
	f->packets++;
}

void follow_end(struct flows *f)
{
	for (struct flow *flow = f->first; flow; flow = flow->next) {
		for (int dir = 0; dir < 2; dir++) {
			while (flow->side[dir].waiting)
				follow_take_first(f, flow, (enum dir)dir);
		}
	}
}
