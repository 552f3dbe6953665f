/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr.c - messages of nfnetlink, attribute by attribute
 *
 * Theory of operation. On top of libmnl's checked functions. Writing keeps its error in the
 * message, so that an encoder reads like the list of its attributes. Reading goes by the bytes that
 * are there: mnl_attr_for_each() and mnl_attr_parse() round a message's end up to a multiple of 4,
 * and the kernel sends packets that do not end on one.
 */
#include "attr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

enum { HEADER_LEN = NLMSG_HDRLEN + (int)sizeof(struct nfgenmsg) };

struct attr_out attr_begin(void *buf, size_t cap, int type, int flags, uint8_t family)
{
	struct attr_out o = {.cap = cap};
	struct nfgenmsg *nfg;

	if (cap < HEADER_LEN) {
		o.err = -EMSGSIZE;
		return o;
	}
	o.nlh = mnl_nlmsg_put_header(buf);
	o.nlh->nlmsg_type = (uint16_t)type;
	o.nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nfg = mnl_nlmsg_put_extra_header(o.nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return o;
}

ssize_t attr_end(const struct attr_out *o)
{
	return o->err ? o->err : (ssize_t)o->nlh->nlmsg_len;
}

/* libmnl (1.0.4) leaves in the padding what happened to be there. */
void attr_put(struct attr_out *o, uint16_t type, const void *p, size_t len)
{
	size_t padding = (MNL_ALIGNTO - len % MNL_ALIGNTO) % MNL_ALIGNTO;

	if (o->err)
		return;
	if (!mnl_attr_put_check(o->nlh, o->cap, type, len, p)) {
		o->err = -EMSGSIZE;
		return;
	}
	memset((uint8_t *)mnl_nlmsg_get_payload_tail(o->nlh) - padding, 0, padding);
}

void attr_put_be16(struct attr_out *o, uint16_t type, uint16_t value)
{
	value = htons(value);
	attr_put(o, type, &value, sizeof(value));
}

void attr_put_be32(struct attr_out *o, uint16_t type, uint32_t value)
{
	value = htonl(value);
	attr_put(o, type, &value, sizeof(value));
}

struct nlattr *attr_nest(struct attr_out *o, uint16_t type)
{
	struct nlattr *nest = o->err ? NULL : mnl_attr_nest_start_check(o->nlh, o->cap, type);

	if (!nest && !o->err)
		o->err = -EMSGSIZE;
	return nest;
}

void attr_nest_end(struct attr_out *o, struct nlattr *nest)
{
	if (!o->err)
		mnl_attr_nest_end(o->nlh, nest);
}

struct attr_table {
	const struct nlattr **at;
	uint16_t max;
};

static int attr_table(const struct nlattr *attr, void *data)
{
	const struct attr_table *t = data;

	if (mnl_attr_get_type(attr) <= t->max)
		t->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

bool attr_open(const void *msg, size_t len, int type, const struct nlattr **at, uint16_t max)
{
	const struct nlmsghdr *nlh = msg;
	struct attr_table t = {at, max};

	if (len < HEADER_LEN || nlh->nlmsg_len < HEADER_LEN || nlh->nlmsg_len > len ||
		nlh->nlmsg_type != type)
		return false;
	mnl_attr_parse_payload(
		(const uint8_t *)msg + HEADER_LEN, nlh->nlmsg_len - HEADER_LEN, attr_table, &t);
	return true;
}

bool attr_open_nest(const struct nlattr *nest, const struct nlattr **at, uint16_t max)
{
	struct attr_table t = {at, max};

	if (!nest)
		return false;
	mnl_attr_parse_nested(nest, attr_table, &t);
	return true;
}

bool attr_read(const struct nlattr *attr, void *ret, size_t len)
{
	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), len);
	return true;
}

bool attr_read_be16(const struct nlattr *attr, uint16_t *ret)
{
	uint16_t value;

	if (!attr_read(attr, &value, sizeof(value)))
		return false;
	*ret = ntohs(value);
	return true;
}

bool attr_read_be32(const struct nlattr *attr, uint32_t *ret)
{
	uint32_t value;

	if (!attr_read(attr, &value, sizeof(value)))
		return false;
	*ret = ntohl(value);
	return true;
}
