/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_load.c - loads and removes rules
 *
 * In come rules and what is loaded, out goes the difference to iptables-restore, ip6tables-restore
 * or nft: any number of times, in any state, with the same result. Each table changes in one step.
 * The families one after the other: if the second fails, the first is put back. Changes of the same
 * chains by others at the same time are not looked for.
 */
#include "rules_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "options.h"
#include "rules_listing.h"
#include "rules_value.h"

/* One family of iptables that is changed. */
struct family_load {
	struct rules_command command;
	struct rules_listing before;
	bool begun;
};

static int out_of_memory(void)
{
	options_wrong("not enough memory");
	return EXIT_FAILURE;
}

static int load_failed(const char *complaint, const char *state)
{
	options_wrong("%s%s", complaint, state);
	return EXIT_FAILURE;
}

/* 0, or EXIT_FAILURE after a line on stderr. */
static int find_command(int family, struct rules_command *ret_command)
{
	int err = rules_command_of(family, ret_command);

	if (err == -EINVAL)
		options_wrong("IPTABLES \"%s\": not a name of iptables", getenv("IPTABLES"));
	else if (err)
		options_wrong("%s is not installed", ret_command->restore);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A text is written by one of the functions of rules_listing.h, and given to iptables-restore. */
struct change_text {
	FILE *file;
	char *text;
	size_t len;
};

static bool change_open(struct change_text *c)
{
	*c = (struct change_text){0};
	c->file = open_memstream(&c->text, &c->len);
	return c->file;
}

/* 0 or another status of the command; `complaint` says why. */
static int change_apply(struct change_text *c, const struct rules_command *command,
	char complaint[RUN_COMPLAINT_MAX])
{
	struct output o = {0};
	int status = fclose(c->file) == 0 ? 0 : -ENOMEM;

	if (!status && c->len)
		status = run((const char *const[]){command->restore, "-w", "10", "--noflush", NULL},
			c->text, &o);
	snprintf(complaint, RUN_COMPLAINT_MAX, "%s",
		o.complaint[0] ? o.complaint : "failed without a reason");
	free(o.text);
	free(c->text);
	return status;
}

/* --- iptables --- */

static int load_family(
	const struct rules *r, int family, struct family_load *f, char complaint[RUN_COMPLAINT_MAX])
{
	char *text = rules_text(r, 1U << family);
	struct change_text change;

	snprintf(complaint, RUN_COMPLAINT_MAX, "not enough memory");
	if (!text || !change_open(&change)) {
		free(text);
		return -ENOMEM;
	}
	f->begun = true;
	rules_listing_change(&f->before, text, change.file);
	free(text);
	return change_apply(&change, &f->command, complaint);
}

/* What was loaded before is there again. */
static bool take_back(const struct family_load *f)
{
	char complaint[RUN_COMPLAINT_MAX];
	struct rules_listing now;
	struct change_text change;
	bool done = rules_listing_read(&f->command, &now, complaint) == 0 && change_open(&change);

	if (done) {
		rules_listing_restore(&now, &f->before, change.file);
		done = change_apply(&change, &f->command, complaint) == 0;
	}
	rules_listing_free(&now);
	return done;
}

static bool take_all_back(const struct family_load load[RULES_FAMILIES])
{
	bool done = true;

	for (int family = RULES_FAMILIES - 1; family >= 0; family--) {
		if (load[family].begun)
			done = take_back(&load[family]) && done;
	}
	return done;
}

static int load_families(const struct rules *r, struct family_load load[RULES_FAMILIES])
{
	char complaint[RUN_COMPLAINT_MAX];

	for (int family = 0; family < RULES_FAMILIES; family++) {
		if (r->families & 1U << family &&
			load_family(r, family, &load[family], complaint) != 0)
			return load_failed(complaint,
				take_all_back(load) ? "; nothing was changed"
						    : "; what was loaded could not be taken back");
	}
	return EXIT_SUCCESS;
}

/* 0, or EXIT_FAILURE after a line on stderr. Where iptables cannot show a table the rules are
 * loaded all the same: they are needed more than jumps twice do harm. */
static int load_look(int family, struct family_load *f)
{
	char complaint[RUN_COMPLAINT_MAX];
	int err;

	if (find_command(family, &f->command))
		return EXIT_FAILURE;
	err = rules_listing_read(&f->command, &f->before, complaint);
	if (err == -ENOTSUP)
		options_wrong("%s; jumps that were there may be there twice", complaint);
	else if (err)
		return load_failed(complaint, "; nothing was changed");
	return EXIT_SUCCESS;
}

static int load_iptables(const struct rules *r)
{
	struct family_load load[RULES_FAMILIES] = {0};
	int status = EXIT_SUCCESS;

	for (int family = 0; family < RULES_FAMILIES && !status; family++) {
		if (r->families & 1U << family)
			status = load_look(family, &load[family]);
	}
	if (!status)
		status = load_families(r, load);
	for (int family = 0; family < RULES_FAMILIES; family++)
		rules_listing_free(&load[family].before);
	return status;
}

static int remove_listed(const struct rules_command *command, const struct rules_listing *now)
{
	char complaint[RUN_COMPLAINT_MAX];
	struct change_text change;

	if (!change_open(&change))
		return out_of_memory();
	rules_listing_remove(now, change.file);
	return change_apply(&change, command, complaint) == 0 ? EXIT_SUCCESS
							      : load_failed(complaint, "");
}

/* Where nothing is loaded nothing is done: a kernel without IPv6 has no tables of that family
 * either. What iptables cannot show stays. */
static int remove_family(const struct rules_command *command)
{
	char complaint[RUN_COMPLAINT_MAX];
	struct rules_listing now;
	int err = rules_listing_read(command, &now, complaint);
	int status = err ? load_failed(complaint, "") : EXIT_SUCCESS;

	if ((!err || err == -ENOTSUP) && remove_listed(command, &now) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	rules_listing_free(&now);
	return status;
}

/* --- nft --- */

/* The number before the next `end`, after which *p stands then; or -1. */
static int32_t nft_take_number(const char **p, char end)
{
	const char *after = strchr(*p, end);
	int32_t number = after ? rules_number(*p, (size_t)(after - *p), UINT16_MAX) : -1;

	*p = after ? after + 1 : *p;
	return number;
}

static const char *nft_line(const char *text, int32_t line)
{
	while (text && --line > 0) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text ? text : "";
}

/* nft names a place in what it was given, which nobody has seen: "/dev/stdin:LINE:COLUMN-COLUMN:
 * Error: WHY". In its stead the complaint says what stands there. */
static void nft_show_refused(const char *text, char complaint[RUN_COMPLAINT_MAX])
{
	static const char error[] = ": Error: ";
	const char *why = strstr(complaint, error), *p = strchr(complaint, ':');
	char shown[RUN_COMPLAINT_MAX];
	int32_t line, column;
	size_t length;

	if (!why || p == why)
		return;
	p++;
	line = nft_take_number(&p, ':');
	column = nft_take_number(&p, '-');
	text = nft_line(text, line);
	length = strcspn(text, "\n");
	if (line < 1 || column < 1 || !length)
		return;
	if ((size_t)column > length) /* the end of the line: something is missing */
		column = (int32_t)strspn(text, "\t") + 1;
	snprintf(shown, sizeof(shown), "nft refuses \"%.*s\": %s", (int)length - column + 1,
		text + column - 1, why + sizeof(error) - 1);
	snprintf(complaint, RUN_COMPLAINT_MAX, "%s", shown);
}

/* nft loads all of a text or nothing. */
static int load_nft(const struct rules *r)
{
	char *text = rules_text(r, r->families);
	struct output o;
	int status;

	if (!text)
		return out_of_memory();
	status = run((const char *const[]){"nft", "-f", "-", NULL}, text, &o);
	nft_show_refused(text, o.complaint);
	free(text);
	free(o.text);
	if (status == -ENOENT)
		return load_failed("nft is not installed", "");
	return status ? load_failed(o.complaint, "; nothing was changed") : EXIT_SUCCESS;
}

/* 1: our table is there, 0: it is not, or -errno and why in `complaint`: -ENOENT if nft is not
 * installed. */
static int find_table(char complaint[RUN_COMPLAINT_MAX])
{
	struct output o;
	int status = run((const char *const[]){"nft", "list", "tables", "inet", NULL}, NULL, &o);
	int found = status == 0 ? strstr(o.text, "table inet pasvd\n") != NULL : -EIO;

	snprintf(complaint, RUN_COMPLAINT_MAX, "%s",
		o.complaint[0] ? o.complaint : "the tables cannot be listed");
	free(o.text);
	return status < 0 ? status : found;
}

static int remove_table_of_nft(void)
{
	struct output o;
	int status = run(
		(const char *const[]){"nft", "delete", "table", "inet", "pasvd", NULL}, NULL, &o);

	free(o.text);
	return status ? load_failed(o.complaint, "") : EXIT_SUCCESS;
}

/* --- both --- */

int rules_load(const struct rules *r)
{
	run_environment();
	return r->nft ? load_nft(r) : load_iptables(r);
}

/* A command that is not installed has loaded nothing; that neither is there is a mistake. What can
 * be removed is, also if something else cannot. */
int rules_remove(void)
{
	char complaint[RUN_COMPLAINT_MAX];
	struct rules_command command;
	int status = EXIT_SUCCESS, found;
	bool any = false;

	run_environment();
	for (int family = 0; family < RULES_FAMILIES; family++) {
		int err = rules_command_of(family, &command);

		if (err == -EINVAL)
			return find_command(family, &command);
		any |= !err;
		if (!err && remove_family(&command) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	}
	found = find_table(complaint);
	if (found > 0 && remove_table_of_nft() != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	if (found == -ENOENT && !any)
		return find_command(RULES_IP4, &command);
	return found < 0 && !any ? load_failed(complaint, "") : status;
}
