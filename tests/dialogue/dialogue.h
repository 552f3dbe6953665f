/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dialogue.h - a control connection written down, what was sent and what must arrive
 *
 * dialogue/README says what the files look like. Reading one gives steps in order; a step that
 * sends is one segment. Anything that the reader does not understand ends the process with file,
 * line and what is wrong.
 */
#ifndef PASVD_TESTS_DIALOGUE_H
#define PASVD_TESTS_DIALOGUE_H

#include "pasvd/policy.h"

enum { DIALOGUE_STEPS = 128, DIALOGUE_SEGMENT = 1400, DIALOGUE_EXPECTS = 32 };

enum step_kind {
	STEP_SEND,    /* dir, sent, received, reason and so on */
	STEP_BUSY,    /* announced ports low..high belong to others from now on */
	STEP_FREE,    /* and to nobody again */
	STEP_REFUSE,  /* conntrack refuses what */
	STEP_WORK,    /* and works again */
	STEP_RESTART, /* the helper starts anew, conntrack stays */
	STEP_IDLE,    /* ms go by */
	STEP_SYN,     /* dir listens at port low, as dialled or as seen, and is sent a SYN */
	STEP_ENDING,  /* the connection is not ESTABLISHED any more */
	STEP_VIA      /* packets come in by the interfaces indev from now on */
};

enum refuse { REFUSE_GET = 1, REFUSE_EXPECT = 2, REFUSE_ADJUST = 4 };

struct text {
	size_t len;
	uint8_t byte[DIALOGUE_SEGMENT];
};

struct step {
	enum step_kind kind;
	unsigned line; /* of the file */

	enum dir dir;
	struct text sent, received;
	bool scrambled;    /* "=> *": received has the length of sent and is something else */
	unsigned rewrites; /* lines of it that are received differently */
	unsigned expects;  /* expectations that were made until after it, since the beginning */
	bool in_force;     /* the last of them is there */
	bool resets;       /* the connection: sent is what it gets no further with */
	bool reason_given;
	enum reason reason; /* of the whole segment */

	uint16_t low, high;
	unsigned refuse; /* enum refuse, or-ed */
	uint64_t ms;
	uint32_t indev[2]; /* by enum dir */
};

struct dialogue {
	const char *name;
	struct endpoint client, dialled, listener, seen; /* the client as the server sees it */
	struct policy policy;
	bool fresh;                   /* it begins with what the file says: no login before */
	bool untracked, no_ct_helper; /* conntrack does not know it; it does not carry our helper */
	/* means something else when cut: only whole segments are played */
	bool uncut;
	struct expect expect[DIALOGUE_EXPECTS];
	unsigned expects;
	struct step step[DIALOGUE_STEPS];
	unsigned steps;
};

/* Fills in `d` from the file. Ends the process if it cannot be read. */
void dialogue_read(struct dialogue *d, const char *file);

#endif
