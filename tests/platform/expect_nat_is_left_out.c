/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_nat_is_left_out.c
 *
 * FACT: nfexp_nlmsg_build() of libnetfilter_conntrack 1.0.9 leaves out
 * CTA_EXPECT_NAT, CTA_EXPECT_FN and CTA_EXPECT_CLASS without a word, so the
 * message has to be built without it. Should a later release put them in,
 * this program says so by failing.
 *
 * Source: libnetfilter_conntrack src/expect/build_mnl.c. No kernel involved.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

static void set_tuple(struct nf_expect *exp, enum nf_expect_attr attr, uint16_t port)
{
	struct nf_conntrack *ct = nfct_new();

	if (!ct)
		broken("nfct_new");
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(INADDR_LOOPBACK));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(INADDR_LOOPBACK));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(port));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(port));
	nfexp_set_attr(exp, attr, ct);
	nfct_destroy(ct);
}

static struct nf_expect *full_expectation(void)
{
	struct nf_expect *exp = nfexp_new();

	if (!exp)
		broken("nfexp_new");
	set_tuple(exp, ATTR_EXP_MASTER, 21);
	set_tuple(exp, ATTR_EXP_EXPECTED, 50000);
	set_tuple(exp, ATTR_EXP_MASK, 0xffff);
	set_tuple(exp, ATTR_EXP_NAT_TUPLE, 50001);
	nfexp_set_attr_u32(exp, ATTR_EXP_NAT_DIR, 1);
	nfexp_set_attr(exp, ATTR_EXP_FN, "nat-follow-master");
	nfexp_set_attr_u32(exp, ATTR_EXP_CLASS, 1);
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 300);
	return exp;
}

/* mnl_attr_cb_t: marks the attribute in a table by type. */
static int mark(const struct nlattr *attr, void *data)
{
	bool *present = data;

	if (mnl_attr_type_valid(attr, CTA_EXPECT_MAX) > 0)
		present[mnl_attr_get_type(attr)] = true;
	return MNL_CB_OK;
}

int main(void)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh;
	struct nf_expect *exp;
	bool present[CTA_EXPECT_MAX + 1] = {false};

	setvbuf(stdout, NULL, _IOLBF, 0);
	nlh = nl_start(buf, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW, 0, AF_INET, 0);
	exp = full_expectation();
	check(nfexp_nlmsg_build(nlh, exp) == 0, "nfexp_nlmsg_build() reports success");
	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), mark, present);
	check(present[CTA_EXPECT_MASTER] && present[CTA_EXPECT_TUPLE] && present[CTA_EXPECT_MASK],
		"master, tuple and mask are there");
	check(present[CTA_EXPECT_TIMEOUT], "the timeout is there");
	check(!present[CTA_EXPECT_NAT], "CTA_EXPECT_NAT is left out");
	check(!present[CTA_EXPECT_FN], "CTA_EXPECT_FN is left out");
	check(!present[CTA_EXPECT_CLASS], "CTA_EXPECT_CLASS is left out");
	nfexp_destroy(exp);
	return finish();
}
