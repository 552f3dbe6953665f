/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.h - what the classifier and the program behind the queue share
 *
 * A slot is one control connection. Its word is changed as a whole, by compare-and-swap from the
 * kernel and by exchange from outside, so that each line that passed is seen by the program once:
 *
 *   bit 63     armed: lines may pass
 *   bits 60-62 how many have passed since
 *   14 bits    each: class (4), direction (1), length (9)
 */
#ifndef PASVD_TESTS_BENCH_CLASSIFIER_LINE_H
#define PASVD_TESTS_BENCH_CLASSIFIER_LINE_H

enum {
	LINES_MAX = 4, /* that pass between two packets of the queue */
	LINE_BITS = 14,
	LINE_LEN_BITS = 9,
	LINE_MIN = 6,    /* a word or code, and CR LF */
	LINE_LONG = 128, /* a longer one does not pass */
	SLOTS = 1024,
};

#define SLOT_ARMED   (1ULL << 63)
#define SLOT_COUNT_1 (1ULL << 60)

enum line_class {
	LINE_NOT_HARMLESS,
	LINE_FILE,        /* RETR, STOR: */
	LINE_PRELIMINARY, /* 125, 150 */
	LINE_TRANSFERRED, /* 226, 250 */
	LINE_PLAIN,       /* NOOP, TYPE: */
	LINE_DONE,        /* 200 */
};

/* In network byte order, as in the packet. */
struct line_key {
	unsigned int saddr, daddr;
	unsigned short sport, dport;
};

struct line_slot {
	unsigned long long word;
	unsigned int base[2]; /* by direction: the next sequence number when it was armed */
};

static inline unsigned int slot_count(unsigned long long word)
{
	return (unsigned int)(word >> 60) & 7;
}

static inline unsigned int slot_line(unsigned long long word, unsigned int i)
{
	return (unsigned int)(word >> i * LINE_BITS) & ((1U << LINE_BITS) - 1);
}

static inline unsigned int line_length(unsigned int line)
{
	return line & ((1U << LINE_LEN_BITS) - 1);
}

static inline unsigned int line_direction(unsigned int line)
{
	return line >> LINE_LEN_BITS & 1;
}

/* How many bytes of direction `dir` have passed. */
static inline unsigned int slot_passed(unsigned long long word, unsigned int dir)
{
	unsigned int bytes = 0;

	for (unsigned int i = 0; i < LINES_MAX; i++) {
		unsigned int line = slot_line(word, i);

		bytes += line_direction(line) == dir ? line_length(line) : 0;
	}
	return bytes;
}

#endif
