/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings.h - what `pasvd check` has found
 *
 * A finding says what there is, why it matters, and what fixes it: a command that can be given to a
 * shell of root as it stands, or advice if somebody has to decide. A finding that is there already
 * is not added again.
 */
#ifndef PASVD_REPORT_H
#define PASVD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum severity {
	SEVERITY_OK,
	SEVERITY_UNSEEN,
	SEVERITY_UNSURE,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITIES
};

/* Longer texts are cut, but for a command: half of one must not be given to a shell, so it is left
 * out. */
enum { FINDINGS_MAX = 64, FINDING_TEXT_MAX = 512, FINDING_FIX_MAX = 4096 };

struct finding {
	enum severity severity;
	const char *about; /* one or two words */
	char what[FINDING_TEXT_MAX];
	char why[FINDING_TEXT_MAX];
	char fix[FINDING_FIX_MAX];
	char advice[FINDING_TEXT_MAX];
};

/* One after the other; when they get too long, all are given up. */
struct commands {
	char text[FINDING_FIX_MAX];
	size_t used;
};

struct report {
	size_t n;
	struct finding finding[FINDINGS_MAX];
	size_t beyond[SEVERITIES]; /* that there was no room for */
	struct finding spare;      /* takes those, and what is there already */
};

/* Never NULL: what is said about the finding can be added at once. `about` is kept. */
struct finding *report_add(struct report *r, enum severity severity, const char *about,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void finding_why(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_fix(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void commands_add(struct commands *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_fix_by(struct finding *f, const struct commands *c);
void finding_advice(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Takes the last finding back if one before it, about the same, says the same, is fixed by the same
 * command, or is unsure for the same reason. */
void report_once(struct report *r);

size_t report_count(const struct report *r, enum severity severity);

/* Two columns and what belongs to them below, then one line that counts. Characters that are none
 * of text are shown as '?'. */
void report_print(const struct report *r, FILE *out, bool colour);

/* The same as one object, see docs/check.schema.json. -1: no memory, or it cannot be written. */
int report_print_json(const struct report *r, FILE *out);

/* 1: there is an error. 3: there is none, but something could not be looked at, or is not certain.
 * 0: neither. */
int report_status(const struct report *r);

#endif
