/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct.c - ctnetlink messages: look-up, sequence adjustment, expectations
 *
 * Messages are built whole with libmnl, as nfexp_nlmsg_build() leaves out the
 * NAT part. Connections are read back through libnetfilter_conntrack.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

void put_tuple(struct nlmsghdr *nlh, int type, const struct tuple *t)
{
	struct nlattr *tuple = mnl_attr_nest_start(nlh, (uint16_t)type);
	struct nlattr *part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, t->src.addr);
	mnl_attr_put_u32(nlh, CTA_IP_V4_DST, t->dst.addr);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(t->src.port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(t->dst.port));
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, tuple);
}

struct tuple tuple_of(const struct packet *p)
{
	return (struct tuple){.src = packet_src(p), .dst = packet_dst(p)};
}

bool endpoint_eq(struct endpoint a, struct endpoint b)
{
	return a.addr == b.addr && a.port == b.port;
}

bool tuple_eq(const struct tuple *a, const struct tuple *b)
{
	return endpoint_eq(a->src, b->src) && endpoint_eq(a->dst, b->dst);
}

struct expect expect_pasv(const struct control *ctl, uint16_t announced, uint16_t real)
{
	return (struct expect){
		.master = control_tuple(ctl),
		.tuple = {{ctl->from.addr, 0}, ep(PUBLIC, announced)},
		.real = ep(SERVER, real),
		.nat = true,
	};
}

static void put_nat(struct nlmsghdr *nlh, const struct expect *e)
{
	const struct tuple real = {.src = e->real};
	struct nlattr *nat = mnl_attr_nest_start(nlh, CTA_EXPECT_NAT);

	mnl_attr_put_u32(nlh, CTA_EXPECT_NAT_DIR, htonl(e->nat_dir));
	put_tuple(nlh, CTA_EXPECT_NAT_TUPLE, &real);
	mnl_attr_nest_end(nlh, nat);
	mnl_attr_put_strz(nlh, CTA_EXPECT_FN, "nat-follow-master");
}

struct nlmsghdr *expect_msg(void *buf, const struct expect *e, unsigned int flags)
{
	const struct tuple mask = {
		.src = {UINT32_MAX, e->source_port ? UINT16_MAX : 0},
		.dst = {UINT32_MAX, UINT16_MAX},
	};
	struct nlmsghdr *nlh = nl_start(
		buf, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW, NLM_F_ACK | flags, AF_INET, 0);

	put_tuple(nlh, CTA_EXPECT_MASTER, &e->master);
	put_tuple(nlh, CTA_EXPECT_TUPLE, &e->tuple);
	put_tuple(nlh, CTA_EXPECT_MASK, &mask);
	if (e->timeout)
		mnl_attr_put_u32(nlh, CTA_EXPECT_TIMEOUT, htonl(e->timeout));
	if (e->helper)
		mnl_attr_put_strz(nlh, CTA_EXPECT_HELP_NAME, e->helper);
	if (e->nat)
		put_nat(nlh, e);
	return nlh;
}

static int expect_new(struct mnl_socket *nl, const struct expect *e, unsigned int flags)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];

	return nl_talk(nl, expect_msg(buf, e, flags), NULL, NULL);
}

int expect_add(struct mnl_socket *nl, const struct expect *e)
{
	return expect_new(nl, e, NLM_F_CREATE | NLM_F_EXCL);
}

int expect_add_or_change(struct mnl_socket *nl, const struct expect *e)
{
	return expect_new(nl, e, NLM_F_CREATE);
}

int expect_del(struct mnl_socket *nl, const struct expect *e)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh = nl_start(
		buf, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_DELETE, NLM_F_ACK, AF_INET, 0);

	put_tuple(nlh, CTA_EXPECT_TUPLE, &e->tuple);
	return nl_talk(nl, nlh, NULL, NULL);
}

struct expect_last {
	int count;
	struct expect_view view;
};

static struct endpoint ct_endpoint(
	const struct nf_conntrack *ct, enum nf_conntrack_attr addr, enum nf_conntrack_attr port)
{
	return (struct endpoint){nfct_get_attr_u32(ct, addr), ntohs(nfct_get_attr_u16(ct, port))};
}

static struct tuple ct_orig(const struct nf_conntrack *ct)
{
	return (struct tuple){
		.src = ct_endpoint(ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_PORT_SRC),
		.dst = ct_endpoint(ct, ATTR_ORIG_IPV4_DST, ATTR_ORIG_PORT_DST),
	};
}

static struct tuple ct_repl(const struct nf_conntrack *ct)
{
	return (struct tuple){
		.src = ct_endpoint(ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_PORT_SRC),
		.dst = ct_endpoint(ct, ATTR_REPL_IPV4_DST, ATTR_REPL_PORT_DST),
	};
}

struct expect_view expect_view_of(const struct nlmsghdr *nlh)
{
	struct nf_expect *exp = nfexp_new();
	struct expect_view view;

	if (!exp || nfexp_nlmsg_parse(nlh, exp) < 0)
		broken("expectation not understood");
	view = (struct expect_view){
		.master = ct_orig(nfexp_get_attr(exp, ATTR_EXP_MASTER)),
		.tuple = ct_orig(nfexp_get_attr(exp, ATTR_EXP_EXPECTED)),
		.timeout = nfexp_get_attr_u32(exp, ATTR_EXP_TIMEOUT),
	};
	if (nfexp_attr_is_set(exp, ATTR_EXP_NAT_TUPLE) > 0)
		view.real = ct_orig(nfexp_get_attr(exp, ATTR_EXP_NAT_TUPLE)).src;
	nfexp_destroy(exp);
	return view;
}

static int on_expect(const struct nlmsghdr *nlh, void *data)
{
	struct expect_last *last = data;

	last->count++;
	last->view = expect_view_of(nlh);
	return MNL_CB_OK;
}

int expect_list(struct mnl_socket *nl, struct expect_view *ret_last)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct expect_last last = {.count = 0};
	struct nlmsghdr *nlh = nl_start(
		buf, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_GET, NLM_F_DUMP, AF_INET, 0);
	int err = nl_talk(nl, nlh, on_expect, &last);

	if (err)
		broken("list of expectations: %s", strerror(-err));
	if (ret_last && last.count)
		*ret_last = last.view;
	return last.count;
}

static void put_liberal(struct nlmsghdr *nlh)
{
	const struct nf_ct_tcp_flags flags = {IP_CT_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);

	mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(flags), &flags);
	mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(flags), &flags);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
}

struct nlmsghdr *seqadj_msg(void *buf, const struct tuple *t, const struct seqadj *adj)
{
	struct nlmsghdr *nlh =
		nl_start(buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, NLM_F_ACK, AF_INET, 0);
	struct nlattr *nest;

	put_tuple(nlh, adj->by, t);
	nest = mnl_attr_nest_start(nlh, (uint16_t)adj->dir);
	mnl_attr_put_u32(nlh, CTA_SEQADJ_CORRECTION_POS, htonl(adj->pos));
	mnl_attr_put_u32(nlh, CTA_SEQADJ_OFFSET_BEFORE, htonl((uint32_t)adj->before));
	mnl_attr_put_u32(nlh, CTA_SEQADJ_OFFSET_AFTER, htonl((uint32_t)adj->after));
	mnl_attr_nest_end(nlh, nest);
	if (adj->liberal)
		put_liberal(nlh);
	return nlh;
}

int seqadj_set(struct mnl_socket *nl, const struct tuple *t, const struct seqadj *adj)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];

	return nl_talk(nl, seqadj_msg(buf, t, adj), NULL, NULL);
}

static void view_adj(
	const struct nf_conntrack *ct, enum nf_conntrack_attr first, struct ct_view *view, int dir)
{
	view->adj[dir].set = nfct_attr_is_set(ct, first) > 0;
	view->adj[dir].pos = nfct_get_attr_u32(ct, first);
	view->adj[dir].before = nfct_get_attr_u32(ct, first + 1);
	view->adj[dir].after = nfct_get_attr_u32(ct, first + 2);
}

static int on_ct(const struct nlmsghdr *nlh, void *data)
{
	struct ct_view *view = data;
	struct nf_conntrack *ct = nfct_new();
	const char *helper;

	if (!ct || nfct_nlmsg_parse(nlh, ct) < 0)
		broken("connection not understood");
	view->orig = ct_orig(ct);
	view->repl = ct_repl(ct);
	view->status = nfct_get_attr_u32(ct, ATTR_STATUS);
	helper = nfct_get_attr(ct, ATTR_HELPER_NAME);
	snprintf(view->helper, sizeof(view->helper), "%s", helper ? helper : "");
	view_adj(ct, ATTR_ORIG_NAT_SEQ_CORRECTION_POS, view, 0);
	view_adj(ct, ATTR_REPL_NAT_SEQ_CORRECTION_POS, view, 1);
	nfct_destroy(ct);
	return MNL_CB_OK;
}

int ct_get(struct mnl_socket *nl, const struct tuple *t, struct ct_view *ret_view)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh =
		nl_start(buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_ACK, AF_INET, 0);

	put_tuple(nlh, CTA_TUPLE_ORIG, t);
	return nl_talk(nl, nlh, on_ct, ret_view);
}

int ct_del(struct mnl_socket *nl, const struct tuple *t)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh =
		nl_start(buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, AF_INET, 0);

	put_tuple(nlh, CTA_TUPLE_ORIG, t);
	return nl_talk(nl, nlh, NULL, NULL);
}
