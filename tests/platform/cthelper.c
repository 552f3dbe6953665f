/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cthelper.c - userspace helpers, registered through nfnetlink_cthelper
 *
 * They are of the whole machine and not of a namespace. The headers that come
 * with libnetfilter_conntrack do not know them, hence a file of their own.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_cthelper.h>

#include "platform.h"

static struct nlmsghdr *helper_msg(void *buf, unsigned int type, const char *name)
{
	struct nlmsghdr *nlh =
		nl_start(buf, NFNL_SUBSYS_CTHELPER, type, NLM_F_ACK | NLM_F_CREATE, AF_UNSPEC, 0);
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, NFCTH_NAME, name);
	nest = mnl_attr_nest_start(nlh, NFCTH_TUPLE);
	mnl_attr_put_u16(nlh, NFCTH_TUPLE_L3PROTONUM, htons(AF_INET));
	mnl_attr_put_u8(nlh, NFCTH_TUPLE_L4PROTONUM, IPPROTO_TCP);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

int helper_register(struct mnl_socket *nl, const char *name)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh = helper_msg(buf, NFNL_MSG_CTHELPER_NEW, name);
	struct nlattr *set = mnl_attr_nest_start(nlh, NFCTH_POLICY), *first;

	mnl_attr_put_u32(nlh, NFCTH_POLICY_SET_NUM, htonl(1));
	first = mnl_attr_nest_start(nlh, NFCTH_POLICY_SET1);
	mnl_attr_put_strz(nlh, NFCTH_POLICY_NAME, "ftp");
	mnl_attr_put_u32(nlh, NFCTH_POLICY_EXPECT_MAX, htonl(1));
	mnl_attr_put_u32(nlh, NFCTH_POLICY_EXPECT_TIMEOUT, htonl(300));
	mnl_attr_nest_end(nlh, first);
	mnl_attr_nest_end(nlh, set);
	mnl_attr_put_u32(nlh, NFCTH_PRIV_DATA_LEN, htonl(0));
	mnl_attr_put_u32(nlh, NFCTH_STATUS, htonl(NFCT_HELPER_STATUS_DISABLED));
	return nl_talk(nl, nlh, NULL, NULL);
}

int helper_unregister(struct mnl_socket *nl, const char *name)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];

	return nl_talk(nl, helper_msg(buf, NFNL_MSG_CTHELPER_DEL, name), NULL, NULL);
}
