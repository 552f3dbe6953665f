/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfq_msg.h - netlink bytes of NFQUEUE to and from structs, no sockets
 *
 * Kernel source: net/netfilter/nfnetlink_queue.c. Buffers are aligned as struct nlmsghdr. An
 * encoder writes one whole message into `buf` of `cap` bytes and returns its length, always a
 * multiple of 4, or -EMSGSIZE if there is not enough room (then what is in `buf` is undefined).
 * Configuration asks for an acknowledgement, a verdict does not.
 */
#ifndef PASVD_NFQ_MSG_H
#define PASVD_NFQ_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	NFQ_MSG_CONFIG_MAX = 64, /* room enough for any configuration message */
	/* the longest packet and all that the kernel says of it */
	NFQ_MSG_PACKET_MAX = 0x10000 + 0x1000,
	NFQ_MSG_VERDICT_HEAD = 64, /* room enough for a verdict, but for its packet */
	NFQ_MSG_VERDICT_MAX = 0x10000 + NFQ_MSG_VERDICT_HEAD, /* with the longest one */
};

struct nfq_packet {
	uint32_t id;    /* for the verdict */
	uint32_t indev; /* index of the interface by which it came in; 0: by none */
	/* nobody has looked at its checksum: conntrack has not seen it yet */
	bool unverified;
	/* from the IP header on, within the message; NULL if the kernel sent none */
	const uint8_t *bytes;
	size_t len;
};

enum nfq_verdict { NFQ_DROP = 0, NFQ_ACCEPT = 1 }; /* the kernel's NF_DROP and NF_ACCEPT */

/* Queue `queue` is ours from now on. Answered by EPERM if somebody else has it (as well as for want
 * of CAP_NET_ADMIN), by EBUSY if this socket has it already. */
ssize_t nfq_msg_put_bind(void *buf, size_t cap, uint16_t queue);

/* Whole packets are wanted. Until then a bound queue gets nothing: its packets are dropped. */
ssize_t nfq_msg_put_copy(void *buf, size_t cap, uint16_t queue);

/* Packets that wait for a verdict at most; the kernel's default is 1024. */
ssize_t nfq_msg_put_maxlen(void *buf, size_t cap, uint16_t queue, uint32_t packets);

/* What happens to packets that find the queue full: they pass (true), or are dropped, which is the
 * kernel's default. */
ssize_t nfq_msg_put_fail_open(void *buf, size_t cap, uint16_t queue, bool on);

/* The verdict on packet `id`; with `len` > 0 it goes on as `bytes`. */
ssize_t nfq_msg_put_verdict(void *buf, size_t cap, uint16_t queue, uint32_t id,
	enum nfq_verdict verdict, const uint8_t *bytes, size_t len);

/* Reads the message in `msg` of `len` bytes. -1: it is not about a packet, or malformed;
 * *ret_packet is untouched. */
int nfq_msg_parse_packet(const void *msg, size_t len, struct nfq_packet *ret_packet);

#endif
