/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings.c - what `pasvd check` has found */
#include "findings.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "pasvd/array.h"

static const struct {
	const char *name, *colour, *counted; /* the name of its count */
} severities[] = {
	[SEVERITY_OK] = {"ok", "\033[32m", "ok"},
	[SEVERITY_UNSEEN] = {"unseen", "\033[36m", "unseen"},
	[SEVERITY_UNSURE] = {"unsure", "\033[35m", "unsure"},
	[SEVERITY_WARNING] = {"warning", "\033[33m", "warnings"},
	[SEVERITY_ERROR] = {"error", "\033[1;31m", "errors"},
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

/* What is not UTF-8 becomes '?', as JSON has nothing else. */
static json_t *findings_json_text(const char *text)
{
	char ascii[FINDING_FIX_MAX];
	json_t *value = json_string(text);

	if (value)
		return value;
	snprintf(ascii, sizeof(ascii), "%s", text);
	for (char *c = ascii; *c; c++) {
		if ((unsigned char)*c > '\177')
			*c = '?';
	}
	return json_string(ascii);
}

static json_t *findings_json_finding(const struct finding *f)
{
	const struct {
		const char *name, *text;
	} members[] = {{"severity", severities[f->severity].name}, {"about", f->about},
		{"what", f->what}, {"why", f->why}, {"fix", f->fix}, {"advice", f->advice}};
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (*members[i].text)
			json_object_set_new(
				object, members[i].name, findings_json_text(members[i].text));
	}
	return object;
}

int report_print_json(const struct report *r, FILE *out)
{
	json_t *root = json_object(), *counts = json_object(), *findings = json_array();
	int err;

	for (int i = SEVERITIES - 1; i >= 0; i--)
		json_object_set_new(counts, severities[i].counted,
			json_integer((json_int_t)report_count(r, (enum severity)i)));
	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(findings, findings_json_finding(&r->finding[i]));
	json_object_set_new(root, "status", json_integer(report_status(r)));
	json_object_set_new(root, "counts", counts);
	err = json_object_set_new(root, "findings", findings);
	err |= json_dumpf(root, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(root);
	return err;
}

int report_status(const struct report *r)
{
	if (report_count(r, SEVERITY_ERROR))
		return 1;
	return report_count(r, SEVERITY_UNSEEN) || report_count(r, SEVERITY_UNSURE) ? 3 : 0;
}
