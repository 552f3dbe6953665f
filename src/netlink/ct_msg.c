/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_msg.c - netlink bytes of ctnetlink to and from the core's structs, no sockets
 *
 * Theory of operation. An encoder is the list of its message's attributes, a decoder takes the
 * attributes that it knows and skips the others (attr.h). libnetfilter_conntrack is not used: its
 * objects live on the heap, and there is no allocation on the packet's path; its builders do not
 * ask how much room there is; and its builder of expectations (1.0.9) silently leaves out
 * CTA_EXPECT_NAT and CTA_EXPECT_FN.
 *
 * A conntrack zone is given in CTA_ZONE or CTA_EXPECT_ZONE and left out if it is 0. In answers a
 * zone of one direction only (CT --zone-orig) comes within that direction's tuple.
 */
#include "ct_msg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "attr.h"

#define CT(msg)  (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_##msg)
#define EXP(msg) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_##msg)

/* What the kernel calls the families, and where it keeps their addresses. */
static const struct family {
	uint8_t nf, core;
	uint8_t len;
	uint16_t src, dst;
} families[] = {
	{AF_INET, ADDR_IP4, ADDR_IP4_LEN, CTA_IP_V4_SRC, CTA_IP_V4_DST},
	{AF_INET6, ADDR_IP6, ADDR_IP6_LEN, CTA_IP_V6_SRC, CTA_IP_V6_DST},
};

static const struct family *ct_msg_family_of(const struct tuple *t)
{
	for (size_t i = 0; i < MNL_ARRAY_SIZE(families); i++) {
		if (families[i].core == t->src.addr.family &&
			families[i].core == t->dst.addr.family)
			return &families[i];
	}
	return NULL;
}

static uint8_t ct_msg_nf_family(const struct tuple *t)
{
	const struct family *f = ct_msg_family_of(t);

	return f ? f->nf : AF_UNSPEC;
}

static void ct_msg_put_zone(struct attr_out *o, uint16_t type, uint16_t zone)
{
	if (zone != 0)
		attr_put_be16(o, type, zone);
}

static void ct_msg_put_addrs(struct attr_out *o, const struct tuple *t)
{
	const struct family *f = ct_msg_family_of(t);
	struct nlattr *nest;

	if (!f) {
		o->err = -EAFNOSUPPORT;
		return;
	}
	nest = attr_nest(o, CTA_TUPLE_IP);
	attr_put(o, f->src, t->src.addr.byte, f->len);
	attr_put(o, f->dst, t->dst.addr.byte, f->len);
	attr_nest_end(o, nest);
}

static void ct_msg_put_ports(struct attr_out *o, const struct tuple *t)
{
	static const uint8_t protocol = IPPROTO_TCP;
	struct nlattr *nest = attr_nest(o, CTA_TUPLE_PROTO);

	attr_put(o, CTA_PROTO_NUM, &protocol, sizeof(protocol));
	attr_put_be16(o, CTA_PROTO_SRC_PORT, t->src.port);
	attr_put_be16(o, CTA_PROTO_DST_PORT, t->dst.port);
	attr_nest_end(o, nest);
}

static void ct_msg_put_tuple(struct attr_out *o, uint16_t type, const struct tuple *t)
{
	struct nlattr *nest = attr_nest(o, type);

	ct_msg_put_addrs(o, t);
	ct_msg_put_ports(o, t);
	attr_nest_end(o, nest);
}

/* Begins a message about the connection one of whose directions is `t`. */
static struct attr_out ct_msg_begin_ct(
	void *buf, size_t cap, int type, int flags, const struct tuple *t)
{
	struct attr_out o = attr_begin(buf, cap, type, flags, ct_msg_nf_family(t));

	ct_msg_put_tuple(&o, CTA_TUPLE_ORIG, t);
	ct_msg_put_zone(&o, CTA_ZONE, t->zone);
	return o;
}

ssize_t ct_msg_put_get(void *buf, size_t cap, const struct tuple *t)
{
	struct attr_out o = ct_msg_begin_ct(buf, cap, CT(GET), 0, t);

	return attr_end(&o);
}

/* Of both directions: who sends what was rewritten, and who acknowledges it. */
static void ct_msg_put_liberal(struct attr_out *o)
{
	static const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL, .mask = IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlattr *info = attr_nest(o, CTA_PROTOINFO), *tcp = attr_nest(o, CTA_PROTOINFO_TCP);

	attr_put(o, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, &liberal, sizeof(liberal));
	attr_put(o, CTA_PROTOINFO_TCP_FLAGS_REPLY, &liberal, sizeof(liberal));
	attr_nest_end(o, tcp);
	attr_nest_end(o, info);
}

ssize_t ct_msg_put_seqadj(void *buf, size_t cap, const struct tuple *master, enum dir dir,
	const struct seqadj *a, bool liberal)
{
	struct attr_out o = ct_msg_begin_ct(buf, cap, CT(NEW), NLM_F_ACK, master);
	struct nlattr *nest =
		attr_nest(&o, dir == DIR_ORIGINAL ? CTA_SEQ_ADJ_ORIG : CTA_SEQ_ADJ_REPLY);

	attr_put_be32(&o, CTA_SEQADJ_CORRECTION_POS, a->pos);
	attr_put_be32(&o, CTA_SEQADJ_OFFSET_BEFORE, (uint32_t)a->before);
	attr_put_be32(&o, CTA_SEQADJ_OFFSET_AFTER, (uint32_t)a->after);
	attr_nest_end(&o, nest);
	if (liberal)
		ct_msg_put_liberal(&o);
	return attr_end(&o);
}

ssize_t ct_msg_put_mark(void *buf, size_t cap, const struct tuple *master, uint32_t value,
	uint32_t mask, bool answered)
{
	struct attr_out o = ct_msg_begin_ct(buf, cap, CT(NEW), answered ? NLM_F_ACK : 0, master);

	attr_put_be32(&o, CTA_MARK, value);
	attr_put_be32(&o, CTA_MARK_MASK, mask);
	return attr_end(&o);
}

/* The kernel leaves out the others (ctnetlink_filter_match()), so a router with a million
 * connections answers with a few. */
ssize_t ct_msg_put_dump_marked(void *buf, size_t cap, uint8_t family, uint32_t mark)
{
	struct attr_out o = attr_begin(buf, cap, CT(GET), NLM_F_DUMP, family);

	attr_put_be32(&o, CTA_MARK, mark);
	attr_put_be32(&o, CTA_MARK_MASK, mark);
	return attr_end(&o);
}

/* Begins a message about the expectation that takes e->tuple. */
static struct attr_out ct_msg_begin_expect(
	void *buf, size_t cap, int type, int flags, const struct expect *e)
{
	struct attr_out o = attr_begin(buf, cap, type, flags, ct_msg_nf_family(&e->tuple));

	ct_msg_put_tuple(&o, CTA_EXPECT_TUPLE, &e->tuple);
	ct_msg_put_zone(&o, CTA_EXPECT_ZONE, e->master.zone);
	return o;
}

ssize_t ct_msg_put_expect_get(void *buf, size_t cap, const struct expect *e)
{
	struct attr_out o = ct_msg_begin_expect(buf, cap, EXP(GET), 0, e);

	return attr_end(&o);
}

/* Acknowledged where there is nothing to dump: a connection without a helper is answered with
 * nothing else. */
ssize_t ct_msg_put_expect_dump(void *buf, size_t cap, const struct tuple *master)
{
	struct attr_out o =
		attr_begin(buf, cap, EXP(GET), NLM_F_DUMP | NLM_F_ACK, ct_msg_nf_family(master));

	ct_msg_put_tuple(&o, CTA_EXPECT_MASTER, master);
	ct_msg_put_zone(&o, CTA_EXPECT_ZONE, master->zone);
	return attr_end(&o);
}

ssize_t ct_msg_put_expect_dump_all(void *buf, size_t cap)
{
	struct attr_out o = attr_begin(buf, cap, EXP(GET), NLM_F_DUMP, AF_UNSPEC);

	return attr_end(&o);
}

ssize_t ct_msg_put_expect_del(void *buf, size_t cap, const struct expect *e, uint32_t id)
{
	struct attr_out o = ct_msg_begin_expect(buf, cap, EXP(DELETE), NLM_F_ACK, e);

	attr_put_be32(&o, CTA_EXPECT_ID, id);
	return attr_end(&o);
}

/* All of both addresses and of the destination port have to match, the source port is free. */
static void ct_msg_put_mask(struct attr_out *o, const struct expect *e)
{
	struct tuple mask = {.src.addr.family = e->tuple.src.addr.family,
		.dst = {.addr.family = e->tuple.dst.addr.family, .port = UINT16_MAX}};

	memset(mask.src.addr.byte, 0xff, sizeof(mask.src.addr.byte));
	memset(mask.dst.addr.byte, 0xff, sizeof(mask.dst.addr.byte));
	ct_msg_put_tuple(o, CTA_EXPECT_MASK, &mask);
}

/* Only the source of the tuple counts; the kernel wants the destination's attributes all the
 * same. */
static void ct_msg_put_nat(struct attr_out *o, const struct expect *e)
{
	struct tuple t = {.src = e->nat, .dst.addr.family = e->nat.addr.family};
	struct nlattr *nest = attr_nest(o, CTA_EXPECT_NAT);

	attr_put_be32(o, CTA_EXPECT_NAT_DIR, e->nat_dir);
	ct_msg_put_tuple(o, CTA_EXPECT_NAT_TUPLE, &t);
	attr_nest_end(o, nest);
}

/* NLM_F_EXCL matters: without it ctnetlink_new_expect() takes an expectation that matches the tuple
 * already, though it may be another connection's and lead to another server, for this one and
 * acknowledges without doing anything. The helper is the master's: newer kernels do not look at one
 * named here. */
ssize_t ct_msg_put_expect(void *buf, size_t cap, const struct expect *e)
{
	static const char follow_master[] = "nat-follow-master";
	struct attr_out o = ct_msg_begin_expect(buf, cap, EXP(NEW), NLM_F_CREATE | NLM_F_EXCL, e);

	ct_msg_put_tuple(&o, CTA_EXPECT_MASTER, &e->master);
	ct_msg_put_mask(&o, e);
	if (e->translated) {
		ct_msg_put_nat(&o, e);
		attr_put(&o, CTA_EXPECT_FN, follow_master, sizeof(follow_master));
	}
	return attr_end(&o);
}

/* A new expectation lives as long as its helper's policy says; CTA_EXPECT_TIMEOUT is heard only
 * when one that is there already is changed (ctnetlink_change_expect()), and that one is looked for
 * by its tuple alone. */
ssize_t ct_msg_put_expect_life(void *buf, size_t cap, const struct expect *e)
{
	struct attr_out o = ct_msg_begin_expect(buf, cap, EXP(NEW), NLM_F_ACK, e);

	ct_msg_put_tuple(&o, CTA_EXPECT_MASTER, &e->master);
	ct_msg_put_mask(&o, e);
	attr_put_be32(&o, CTA_EXPECT_TIMEOUT, e->seconds);
	return attr_end(&o);
}

/* ctnetlink_create_conntrack() looks for the helper, with request_module("nfct-helper-NAME") if
 * need be, before it looks at the status. A status without IPS_CONFIRMED is EBUSY, so the
 * connection (of RFC 5737's documentation addresses) is never there, not even for a moment. */
ssize_t ct_msg_put_probe(void *buf, size_t cap, const char *name)
{
	static const struct tuple orig = {
		.src = {{ADDR_IP4, {192, 0, 2, 1}}, 1}, .dst = {{ADDR_IP4, {192, 0, 2, 2}}, 1}};
	const struct tuple reply = {.src = orig.dst, .dst = orig.src};
	struct attr_out o = attr_begin(
		buf, cap, CT(NEW), NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ct_msg_nf_family(&orig));
	struct nlattr *nest;

	ct_msg_put_tuple(&o, CTA_TUPLE_ORIG, &orig);
	ct_msg_put_tuple(&o, CTA_TUPLE_REPLY, &reply);
	attr_put_be32(&o, CTA_TIMEOUT, 1);
	attr_put_be32(&o, CTA_STATUS, 0);
	nest = attr_nest(&o, CTA_HELP);
	attr_put(&o, CTA_HELP_NAME, name, strlen(name) + 1);
	attr_nest_end(&o, nest);
	return attr_end(&o);
}

static bool ct_msg_read_addrs(const struct nlattr *nest, struct tuple *ret)
{
	const struct nlattr *at[CTA_IP_MAX + 1] = {0};

	if (!attr_open_nest(nest, at, CTA_IP_MAX))
		return false;
	for (size_t i = 0; i < MNL_ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];

		if (attr_read(at[f->src], ret->src.addr.byte, f->len) &&
			attr_read(at[f->dst], ret->dst.addr.byte, f->len)) {
			ret->src.addr.family = ret->dst.addr.family = f->core;
			return true;
		}
	}
	return false;
}

static bool ct_msg_read_ports(const struct nlattr *nest, struct tuple *ret)
{
	const struct nlattr *at[CTA_PROTO_MAX + 1] = {0};
	uint8_t protocol;

	return attr_open_nest(nest, at, CTA_PROTO_MAX) &&
	       attr_read(at[CTA_PROTO_NUM], &protocol, 1) && protocol == IPPROTO_TCP &&
	       attr_read_be16(at[CTA_PROTO_SRC_PORT], &ret->src.port) &&
	       attr_read_be16(at[CTA_PROTO_DST_PORT], &ret->dst.port);
}

/* `zone`: that of the whole connection. */
static bool ct_msg_read_tuple(const struct nlattr *nest, uint16_t zone, struct tuple *ret)
{
	const struct nlattr *at[CTA_TUPLE_MAX + 1] = {0};

	if (!attr_open_nest(nest, at, CTA_TUPLE_MAX) || !ct_msg_read_addrs(at[CTA_TUPLE_IP], ret) ||
		!ct_msg_read_ports(at[CTA_TUPLE_PROTO], ret))
		return false;
	ret->zone = zone;
	return !at[CTA_TUPLE_ZONE] || attr_read_be16(at[CTA_TUPLE_ZONE], &ret->zone);
}

/* Without the attribute the adjustment is 0. */
static bool ct_msg_read_seqadj(const struct nlattr *nest, struct seqadj *ret)
{
	const struct nlattr *at[CTA_SEQADJ_MAX + 1] = {0};
	uint32_t before, after;

	if (!attr_open_nest(nest, at, CTA_SEQADJ_MAX))
		return true;
	if (!attr_read_be32(at[CTA_SEQADJ_CORRECTION_POS], &ret->pos) ||
		!attr_read_be32(at[CTA_SEQADJ_OFFSET_BEFORE], &before) ||
		!attr_read_be32(at[CTA_SEQADJ_OFFSET_AFTER], &after))
		return false;
	ret->before = (int32_t)before;
	ret->after = (int32_t)after;
	return true;
}

static bool is_helper(const struct nlattr *nest, const char *name)
{
	const struct nlattr *at[CTA_HELP_MAX + 1] = {0};
	size_t len = strlen(name) + 1;

	return attr_open_nest(nest, at, CTA_HELP_MAX) && at[CTA_HELP_NAME] &&
	       mnl_attr_get_payload_len(at[CTA_HELP_NAME]) == len &&
	       memcmp(mnl_attr_get_payload(at[CTA_HELP_NAME]), name, len) == 0;
}

/* Where a SYN makes a new connection: tcp_conntracks[] in nf_conntrack_proto_tcp.c. */
static void ct_msg_read_state(const struct nlattr *nest, struct ct_view *view)
{
	const struct nlattr *at[CTA_PROTOINFO_MAX + 1] = {0}, *tcp[CTA_PROTOINFO_TCP_MAX + 1] = {0};
	uint8_t state;

	if (!attr_open_nest(nest, at, CTA_PROTOINFO_MAX) ||
		!attr_open_nest(at[CTA_PROTOINFO_TCP], tcp, CTA_PROTOINFO_TCP_MAX) ||
		!attr_read(tcp[CTA_PROTOINFO_TCP_STATE], &state, sizeof(state)))
		return;
	view->established = state == TCP_CONNTRACK_ESTABLISHED;
	view->over = state == TCP_CONNTRACK_TIME_WAIT || state == TCP_CONNTRACK_CLOSE;
}

int ct_msg_parse_view(const void *msg, size_t len, const char *ct_helper, struct ct_view *ret_view)
{
	const struct nlattr *at[CTA_MAX + 1] = {0};
	struct ct_view view = {0};
	uint16_t zone = 0;

	if (!attr_open(msg, len, CT(NEW), at, CTA_MAX) ||
		(at[CTA_ZONE] && !attr_read_be16(at[CTA_ZONE], &zone)) ||
		!ct_msg_read_tuple(at[CTA_TUPLE_ORIG], zone, &view.tuple[DIR_ORIGINAL]) ||
		!ct_msg_read_tuple(at[CTA_TUPLE_REPLY], zone, &view.tuple[DIR_REPLY]) ||
		!ct_msg_read_seqadj(at[CTA_SEQ_ADJ_ORIG], &view.seqadj[DIR_ORIGINAL]) ||
		!ct_msg_read_seqadj(at[CTA_SEQ_ADJ_REPLY], &view.seqadj[DIR_REPLY]))
		return -1;
	view.has_helper = is_helper(at[CTA_HELP], ct_helper);
	attr_read_be32(at[CTA_MARK], &view.mark);
	attr_read_be32(at[CTA_ID], &view.id);
	ct_msg_read_state(at[CTA_PROTOINFO], &view);
	*ret_view = view;
	return 0;
}

int ct_msg_parse_expect(const void *msg, size_t len, struct ct_expect_id *ret_id)
{
	const struct nlattr *at[CTA_EXPECT_MAX + 1] = {0};
	struct ct_expect_id id = {0};

	if (!attr_open(msg, len, EXP(NEW), at, CTA_EXPECT_MAX) ||
		!ct_msg_read_tuple(at[CTA_EXPECT_MASTER], 0, &id.master) ||
		!attr_read_be32(at[CTA_EXPECT_ID], &id.id) ||
		!attr_read_be32(at[CTA_EXPECT_TIMEOUT], &id.seconds))
		return -1;
	*ret_id = id;
	return 0;
}

/* Without the attribute it is not translated, and comes from the client, or from the server. */
static bool ct_msg_read_nat(const struct nlattr *nest, struct expect *ret)
{
	const struct nlattr *at[CTA_EXPECT_NAT_MAX + 1] = {0};
	struct tuple to;
	uint32_t dir;

	ret->translated = nest;
	ret->nat = ret->tuple.dst;
	ret->nat_dir =
		addr_eq(&ret->tuple.src.addr, &ret->master.src.addr) ? DIR_ORIGINAL : DIR_REPLY;
	if (!nest)
		return true;
	if (!attr_open_nest(nest, at, CTA_EXPECT_NAT_MAX) ||
		!attr_read_be32(at[CTA_EXPECT_NAT_DIR], &dir) || dir > DIR_REPLY ||
		!ct_msg_read_tuple(at[CTA_EXPECT_NAT_TUPLE], 0, &to))
		return false;
	ret->nat_dir = dir == DIR_ORIGINAL ? DIR_ORIGINAL : DIR_REPLY;
	ret->nat = to.src;
	return true;
}

static int ct_msg_parse_whole(const void *msg, size_t len, uint16_t type, struct expect *ret_expect)
{
	const struct nlattr *at[CTA_EXPECT_MAX + 1] = {0};
	struct expect e;

	if (!attr_open(msg, len, type, at, CTA_EXPECT_MAX) ||
		!ct_msg_read_tuple(at[CTA_EXPECT_MASTER], 0, &e.master) ||
		!ct_msg_read_tuple(at[CTA_EXPECT_TUPLE], 0, &e.tuple) ||
		!ct_msg_read_nat(at[CTA_EXPECT_NAT], &e) ||
		!attr_read_be32(at[CTA_EXPECT_TIMEOUT], &e.seconds))
		return -1;
	*ret_expect = e;
	return 0;
}

int ct_msg_parse_expected(const void *msg, size_t len, struct expect *ret_expect)
{
	return ct_msg_parse_whole(msg, len, EXP(NEW), ret_expect);
}

int ct_msg_parse_expect_end(const void *msg, size_t len, struct expect *ret_expect)
{
	return ct_msg_parse_whole(msg, len, EXP(DELETE), ret_expect);
}
