/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings.c - what `pasvd check` has found */
#include "findings.h"

#include <stdarg.h>
#include <string.h>

static const struct {
	const char *name, *colour;
} severities[] = {
	[SEVERITY_OK] = {"ok", "\033[32m"},
	[SEVERITY_UNSEEN] = {"unseen", "\033[36m"},
	[SEVERITY_UNSURE] = {"unsure", "\033[35m"},
	[SEVERITY_WARNING] = {"warning", "\033[33m"},
	[SEVERITY_ERROR] = {"error", "\033[1;31m"},
};

static bool findings_is_same(const struct finding *a, const struct finding *b)
{
	return a->severity == b->severity && strcmp(a->about, b->about) == 0 &&
	       strcmp(a->what, b->what) == 0;
}

static bool is_known(const struct report *r, const struct finding *f)
{
	for (size_t i = 0; i < r->n; i++) {
		if (findings_is_same(&r->finding[i], f))
			return true;
	}
	return false;
}

struct finding *report_add(
	struct report *r, enum severity severity, const char *about, const char *fmt, ...)
{
	va_list args;

	r->spare = (struct finding){.severity = severity, .about = about};
	va_start(args, fmt);
	vsnprintf(r->spare.what, sizeof(r->spare.what), fmt, args);
	va_end(args);
	if (is_known(r, &r->spare))
		return &r->spare;
	if (r->n == FINDINGS_MAX) {
		r->beyond[severity]++;
		return &r->spare;
	}
	r->finding[r->n] = r->spare;
	return &r->finding[r->n++];
}

void finding_why(struct finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, args);
	va_end(args);
}

void finding_fix(struct finding *f, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(f->fix, sizeof(f->fix), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(f->fix))
		f->fix[0] = '\0';
}

void commands_add(struct commands *c, const char *fmt, ...)
{
	va_list args;
	int len;

	if (c->used >= sizeof(c->text))
		return;
	if (c->used)
		c->used += (size_t)snprintf(c->text + c->used, sizeof(c->text) - c->used, " && ");
	if (c->used >= sizeof(c->text))
		return;
	va_start(args, fmt);
	len = vsnprintf(c->text + c->used, sizeof(c->text) - c->used, fmt, args);
	va_end(args);
	c->used += (size_t)len;
}

void finding_fix_by(struct finding *f, const struct commands *c)
{
	finding_fix(f, "%s", c->used < sizeof(c->text) ? c->text : "");
}

void finding_advice(struct finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->advice, sizeof(f->advice), fmt, args);
	va_end(args);
}

void report_once(struct report *r)
{
	const struct finding *last = &r->finding[r->n ? r->n - 1 : 0];

	for (const struct finding *f = r->finding; f < last; f++) {
		bool same = strcmp(f->what, last->what) == 0 ||
			    (*f->fix && strcmp(f->fix, last->fix) == 0) ||
			    (f->severity == SEVERITY_UNSURE && strcmp(f->why, last->why) == 0);

		if (same && strcmp(f->about, last->about) == 0) {
			r->n--;
			return;
		}
	}
}

size_t report_count(const struct report *r, enum severity severity)
{
	size_t n = r->beyond[severity];

	for (size_t i = 0; i < r->n; i++)
		n += r->finding[i].severity == severity;
	return n;
}

/* Bytes of UTF-8 are text; a terminal is not steered by them. */
static void findings_print_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == '\177' ? '?' : *text, out);
	fputc('\n', out);
}

static void findings_print_below(FILE *out, const char *name, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "        %-8s", name);
	findings_print_text(out, text);
}

static bool any_beyond(const struct report *r)
{
	for (size_t i = 0; i < SEVERITIES; i++) {
		if (r->beyond[i])
			return true;
	}
	return false;
}

static void findings_print_finding(const struct finding *f, FILE *out, bool colour)
{
	const char *name = severities[f->severity].name;

	fprintf(out, "%s%-8s%s%-15s", colour ? severities[f->severity].colour : "", name,
		colour ? "\033[0m" : "", f->about);
	findings_print_text(out, f->what);
	findings_print_below(out, "why:", f->why);
	findings_print_below(out, "fix:", f->fix);
	findings_print_below(out, "advice:", f->advice);
}

static void findings_print_count(
	FILE *out, const char *before, size_t n, const char *one, const char *more)
{
	fprintf(out, "%s%zu %s", before, n, n == 1 ? one : more);
}

void report_print(const struct report *r, FILE *out, bool colour)
{
	for (size_t i = 0; i < r->n; i++)
		findings_print_finding(&r->finding[i], out, colour);
	if (any_beyond(r))
		fputs("more are counted than shown\n", out);
	findings_print_count(out, "", report_count(r, SEVERITY_ERROR), "error", "errors");
	findings_print_count(out, ", ", report_count(r, SEVERITY_WARNING), "warning", "warnings");
	if (report_count(r, SEVERITY_UNSEEN))
		findings_print_count(out, ", ", report_count(r, SEVERITY_UNSEEN), "not looked at",
			"not looked at");
	if (report_count(r, SEVERITY_UNSURE))
		findings_print_count(
			out, ", ", report_count(r, SEVERITY_UNSURE), "not certain", "not certain");
	fputc('\n', out);
}

int report_status(const struct report *r)
{
	if (report_count(r, SEVERITY_ERROR))
		return 1;
	return report_count(r, SEVERITY_UNSEEN) || report_count(r, SEVERITY_UNSURE) ? 3 : 0;
}
