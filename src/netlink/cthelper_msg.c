/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cthelper_msg.c - netlink bytes of nfnetlink_cthelper, no sockets
 *
 * Without NLM_F_EXCL a helper that is there already is changed to what the message says, so
 * registering it again is harmless. There is no message that deletes it: on Linux 6.1 and 6.12
 * connections that carry a deleted helper could never expect anything again, not even when it is
 * registered anew.
 */
#include "cthelper_msg.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_cthelper.h>
#include <netinet/in.h>
#include <string.h>

#include "attr.h"

/* What `sane` has, so that nothing differs for the core. */
enum { EXPECT_MAX = 1, EXPECT_SECONDS = 300 };

static void cthelper_put_text(struct attr_out *o, uint16_t type, const char *text)
{
	attr_put(o, type, text, strlen(text) + 1);
}

static void cthelper_put_tuple(struct attr_out *o, uint8_t family)
{
	static const uint8_t protocol = IPPROTO_TCP;
	struct nlattr *nest = attr_nest(o, NFCTH_TUPLE);

	attr_put_be16(o, NFCTH_TUPLE_L3PROTONUM, family);
	attr_put(o, NFCTH_TUPLE_L4PROTONUM, &protocol, sizeof(protocol));
	attr_nest_end(o, nest);
}

static void cthelper_put_policy(struct attr_out *o)
{
	struct nlattr *set = attr_nest(o, NFCTH_POLICY), *first;

	attr_put_be32(o, NFCTH_POLICY_SET_NUM, 1);
	first = attr_nest(o, NFCTH_POLICY_SET1);
	cthelper_put_text(o, NFCTH_POLICY_NAME, "ftp");
	attr_put_be32(o, NFCTH_POLICY_EXPECT_MAX, EXPECT_MAX);
	attr_put_be32(o, NFCTH_POLICY_EXPECT_TIMEOUT, EXPECT_SECONDS);
	attr_nest_end(o, first);
	attr_nest_end(o, set);
}

/* Disabled: an enabled one has the kernel send its connections' packets to its queue after
 * conntrack. */
ssize_t cthelper_msg_put_new(void *buf, size_t cap, uint8_t family, const char *name)
{
	struct attr_out o = attr_begin(buf, cap, NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW,
		NLM_F_ACK | NLM_F_CREATE, AF_UNSPEC);

	cthelper_put_text(&o, NFCTH_NAME, name);
	cthelper_put_tuple(&o, family);
	cthelper_put_policy(&o);
	attr_put_be32(&o, NFCTH_PRIV_DATA_LEN, 0);
	attr_put_be32(&o, NFCTH_STATUS, NFCT_HELPER_STATUS_DISABLED);
	return attr_end(&o);
}
