/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr.h - messages of nfnetlink, attribute by attribute
 *
 * A message is a struct nlmsghdr, a struct nfgenmsg and attributes, each with its length in front,
 * one inside the other or side by side. Here they are written without ever leaving a buffer, and
 * read without ever leaving a message. Integers are in network byte order, as all of nfnetlink's
 * are. Buffers are aligned as struct nlmsghdr.
 */
#ifndef PASVD_ATTR_H
#define PASVD_ATTR_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A message that is being written. The first error sticks, and nothing is written after it. */
struct attr_out {
	struct nlmsghdr *nlh;
	size_t cap;
	int err; /* 0 or -errno */
};

/* `type`: subsystem << 8 | message, `flags`: NLM_F_* beside NLM_F_REQUEST, `family`: AF_*. */
struct attr_out attr_begin(void *buf, size_t cap, int type, int flags, uint8_t family);

/* The message's length in bytes, a multiple of 4; -EMSGSIZE if it did not fit, or whatever o->err
 * was set to.
 */
ssize_t attr_end(const struct attr_out *o);

void attr_put(struct attr_out *o, uint16_t type, const void *p, size_t len);
void attr_put_be16(struct attr_out *o, uint16_t type, uint16_t value);
void attr_put_be32(struct attr_out *o, uint16_t type, uint32_t value);

/* What is put between the two lies within the attribute. attr_nest_end() takes what attr_nest()
 * returned. */
struct nlattr *attr_nest(struct attr_out *o, uint16_t type);
void attr_nest_end(struct attr_out *o, struct nlattr *nest);

/* Sorts the attributes of the message in `msg` of `len` bytes into at[0..max] by type; those of
 * higher types are left out, and what is not there stays as it was: NULL, by the caller. False: not
 * a whole message of that type. */
bool attr_open(const void *msg, size_t len, int type, const struct nlattr **at, uint16_t max);

/* Likewise what is within `nest`. False: that is NULL. */
bool attr_open_nest(const struct nlattr *nest, const struct nlattr **at, uint16_t max);

/* False, and *ret untouched: `attr` is NULL or has another length. */
bool attr_read(const struct nlattr *attr, void *ret, size_t len);
bool attr_read_be16(const struct nlattr *attr, uint16_t *ret);
bool attr_read_be32(const struct nlattr *attr, uint32_t *ret);

#endif
