/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classifier.bpf.c - lets whole, harmless lines of a control connection pass by the queue
 *
 * For -m bpf --object-pinned: true if the packet is the connection's next segment, is exactly one
 * line, and that is one on whose text nothing depends. The program behind the queue arms a
 * connection where such lines may come, and finds in its slot which ones did: classifier/line.h.
 * Limits: IPv4, no fragments; whatever is not understood is not harmless.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "line.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * SLOTS);
	__type(key, struct line_key);
	__type(value, __u32); /* twice the slot, plus the direction */
} places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct line_slot);
} slots SEC(".maps");

#define WORD(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (__u32)(d) << 24)

/* The first four bytes say it: a word and a space or CR, or a code and a space. */
static __always_inline enum line_class classify_word(__u32 word, __u32 dir)
{
	switch (word) {
	case WORD('R', 'E', 'T', 'R'):
	case WORD('S', 'T', 'O', 'R'):
		return dir ? LINE_NOT_HARMLESS : LINE_FILE;
	case WORD('N', 'O', 'O', 'P'):
	case WORD('T', 'Y', 'P', 'E'):
		return dir ? LINE_NOT_HARMLESS : LINE_PLAIN;
	case WORD('1', '2', '5', ' '):
	case WORD('1', '5', '0', ' '):
		return dir ? LINE_PRELIMINARY : LINE_NOT_HARMLESS;
	case WORD('2', '2', '6', ' '):
	case WORD('2', '5', '0', ' '):
		return dir ? LINE_TRANSFERRED : LINE_NOT_HARMLESS;
	case WORD('2', '0', '0', ' '):
		return dir ? LINE_DONE : LINE_NOT_HARMLESS;
	default:
		return LINE_NOT_HARMLESS;
	}
}

/* One line of printable text that ends with CR LF, and nothing after it. */
static __always_inline int is_whole_line(struct __sk_buff *skb, __u32 at, __u32 len)
{
	__u8 text[LINE_LONG] = {0};
	__u32 i;

	if (bpf_skb_load_bytes(skb, at, text, len) < 0)
		return 0;
	for (i = 0; i < LINE_LONG; i++) {
		__u8 want = i == len - 2 ? '\r' : i == len - 1 ? '\n' : 0;

		if (i < len && (want ? text[i] != want : text[i] < ' ' || text[i] > '~'))
			return 0;
	}
	return text[4] == ' ' || text[4] == '\r' || text[3] == ' ';
}

/* The line takes its place in the slot. */
static __always_inline int slot_take(struct line_slot *slot, __u32 seq, __u32 line)
{
	__u64 word = slot->word, next;
	__u32 dir = line_direction(line), n = slot_count(word);

	if (!(word & SLOT_ARMED) || n >= LINES_MAX ||
		seq != slot->base[dir] + slot_passed(word, dir))
		return 0;
	next = (word | (__u64)line << n * LINE_BITS) + SLOT_COUNT_1;
	return __sync_val_compare_and_swap(&slot->word, word, next) == word;
}

/* cppcheck-suppress unknownMacro */
SEC("socket")
int classifier(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct tcphdr tcp;
	struct line_key key;
	struct line_slot *slot;
	enum line_class class;
	__u32 *place, number, at, len, word;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) < 0 || ip.version != 4 ||
		ip.protocol != IPPROTO_TCP ||
		bpf_skb_load_bytes(skb, ip.ihl * 4, &tcp, sizeof(tcp)) < 0 || !tcp.ack || tcp.syn ||
		tcp.fin || tcp.rst || tcp.urg)
		return 0;
	at = ip.ihl * 4 + tcp.doff * 4;
	len = bpf_ntohs(ip.tot_len) - at;
	if (len < LINE_MIN || len > LINE_LONG || bpf_skb_load_bytes(skb, at, &word, sizeof(word)))
		return 0;
	key = (struct line_key){ip.saddr, ip.daddr, tcp.source, tcp.dest};
	place = bpf_map_lookup_elem(&places, &key);
	if (!place)
		return 0;
	number = *place / 2;
	slot = bpf_map_lookup_elem(&slots, &number);
	class = classify_word(word, *place & 1);
	if (!slot || class == LINE_NOT_HARMLESS || !is_whole_line(skb, at, len))
		return 0;
	return slot_take(slot, bpf_ntohl(tcp.seq),
		len | (*place & 1) << LINE_LEN_BITS | (__u32) class << (LINE_LEN_BITS + 1));
}

/* cppcheck-suppress unknownMacro */
char classifier_license[] SEC("license") = "GPL";
