/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_listing.c - what is loaded, as `iptables -S` prints it, and the texts that change it */
#include "rules_listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "rules_text.h"

const char *const rules_tables[RULES_TABLES] = {"raw", "mangle", "nat", "filter"};

static const char jump_end[] = " -j PASVD", in_chain[] = "-A PASVD ", new_chain[] = "-N PASVD";

/* --- commands --- */

/* Whether PATH, or the path itself, has the program. */
static bool command_exists(const char *name)
{
	const char *folders = getenv("PATH");
	char *path = strdup(folders ? folders : ""), *rest = path, full[4096];
	const char *folder;
	bool found = strchr(name, '/') && access(name, X_OK) == 0;

	while (!found && !strchr(name, '/') && (folder = strsep(&rest, ":"))) {
		snprintf(full, sizeof(full), "%s/%s", folder, name);
		found = access(full, X_OK) == 0;
	}
	free(path);
	return found;
}

int rules_command_of(int family, struct rules_command *ret_command)
{
	const char *name = getenv("IPTABLES"), *last = NULL;

	if (!name || !*name)
		name = "iptables";
	for (const char *p = name; (p = strstr(p, "iptables")); p++)
		last = p;
	if (!last || strlen(name) >= RULES_COMMAND_LEN - sizeof("6-restore"))
		return -EINVAL;
	snprintf(ret_command->command, RULES_COMMAND_LEN, "%.*sip%stables%s", (int)(last - name),
		name, family == RULES_IP6 ? "6" : "", last + strlen("iptables"));
	snprintf(ret_command->restore, RULES_COMMAND_LEN, "%.*s-restore",
		RULES_COMMAND_LEN - (int)sizeof("-restore"), ret_command->command);
	return command_exists(ret_command->restore) ? 0 : -ENOENT;
}

/* --- lines --- */

/* The next line of the text, without its end; its length, or 0 at the end. Empty lines are left
 * out. */
static size_t next_line(const char **text, const char **ret_line)
{
	*text += strspn(*text, "\n");
	*ret_line = *text;
	*text += strcspn(*text, "\n");
	return (size_t)(*text - *ret_line);
}

static bool line_begins(const char *line, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

static bool line_ends(const char *line, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(line + n - strlen(with), with, strlen(with)) == 0;
}

/* Whether the line adds a jump to our chain to another chain; both as it is listed and as the rules
 * have it. */
static bool line_is_jump(const char *line, size_t n)
{
	return (line_begins(line, n, "-A ") || line_begins(line, n, "-I ")) &&
	       !line_begins(line, n, in_chain) && line_ends(line, n, jump_end);
}

static bool has_own_chain(const char *listing)
{
	const char *line;
	size_t n;

	while ((n = next_line(&listing, &line)) > 0) {
		if (n == strlen(new_chain) && line_begins(line, n, new_chain))
			return true;
	}
	return false;
}

/* Whether the chain of the line "-A CHAIN ..." has a policy. */
static bool is_built_in(const char *listing, const char *line)
{
	size_t chain = strcspn(line + 3, " ") + 1; /* with the blank */
	const char *other;
	size_t n;

	while ((n = next_line(&listing, &other)) > 0) {
		if (line_begins(other, n, "-P ") && n > 3 + chain &&
			memcmp(other + 3, line + 3, chain) == 0)
			return true;
	}
	return false;
}

/* The next jump of a built-in chain, "-A CHAIN ... -j PASVD"; its length, 0: there is none. `place`
 * counts the rules of its chain up to it. */
static size_t next_jump(const char *listing, const char **rest, const char **ret_line)
{
	size_t n;

	while ((n = next_line(rest, ret_line)) > 0) {
		if (line_is_jump(*ret_line, n) && is_built_in(listing, *ret_line))
			return n;
	}
	return 0;
}

/* The number of the listed rule in its chain, from 1. */
static size_t number_of_rule(const char *listing, const char *rule)
{
	size_t chain = strcspn(rule + 3, " ") + 4, number = 1, n;
	const char *line;

	while ((n = next_line(&listing, &line)) > 0 && line < rule)
		number += n > chain && memcmp(line, rule, chain) == 0;
	return number;
}

/* Whether the listing has the jump, "-A CHAIN ..." or "-I CHAIN ...". */
static bool has_jump(const char *listing, const char *jump, size_t n)
{
	const char *rest = listing, *line;
	size_t m;

	while ((m = next_jump(listing, &rest, &line)) > 0) {
		if (m == n && memcmp(line + 2, jump + 2, n - 2) == 0)
			return true;
	}
	return false;
}

static size_t count_jumps(const char *listing)
{
	const char *rest = listing, *line;
	size_t count = 0;

	while (next_jump(listing, &rest, &line) > 0)
		count++;
	return count;
}

/* Whether the jumps of a listing are those of the text up to its COMMIT. Their order does not
 * matter: a packet matches one, or meets the same chain twice. */
static bool same_jumps(const char *listing, const char *text)
{
	const char *line;
	size_t n, count = 0;

	while ((n = next_line(&text, &line)) > 0 && !line_begins(line, n, "COMMIT")) {
		if (!line_is_jump(line, n))
			continue;
		if (!has_jump(listing, line, n))
			return false;
		count++;
	}
	return count == count_jumps(listing);
}

static bool same_listed_jumps(const char *a, const char *b)
{
	const char *rest_a = a, *rest_b = b, *line_a, *line_b;
	size_t n, m;

	do {
		n = next_jump(a, &rest_a, &line_a);
		m = next_jump(b, &rest_b, &line_b);
	} while (n && n == m && memcmp(line_a, line_b, n) == 0);
	return !n && !m;
}

static void delete_jumps(const char *listing, FILE *out)
{
	const char *rest = listing, *line;
	size_t n;

	while ((n = next_jump(listing, &rest, &line)) > 0)
		fprintf(out, "-D %.*s\n", (int)n - 3, line + 3);
}

/* --- texts --- */

/* What a status of iptables means: 0, or -errno. A kernel without IPv6, or one that has not all
 * tables, is no reason for a complaint. */
static int listing_error_of(int status, const struct output *o)
{
	bool no_nft = strstr(o->complaint, "Failed to initialize nft"),
	     denied = strstr(o->complaint, "ermission denied");

	if (status < 0)
		return status;
	if (status == 0 || (status == 1 && no_nft) || (status == 3 && !o->len && !denied))
		return 0;
	return (status == 1 || status == 3) && !denied ? -ENOTSUP : -EIO;
}

static int listing_read_table(const struct rules_command *command, const char *table,
	char **ret_text, char complaint[RUN_COMPLAINT_MAX])
{
	char *lock = run_leave_lock();
	struct output o;
	int status =
		run((const char *const[]){command->command, "-w", "10", "-t", table, "-S", NULL},
			NULL, &o);
	int err = listing_error_of(status, &o);

	run_take_lock(lock);
	if (err)
		snprintf(complaint, RUN_COMPLAINT_MAX, "%s",
			o.complaint[0] ? o.complaint : "the rules cannot be listed");
	*ret_text = o.text ? o.text : strdup("");
	return *ret_text ? err : -ENOMEM;
}

int rules_listing_read(const struct rules_command *command, struct rules_listing *ret_listing,
	char complaint[RUN_COMPLAINT_MAX])
{
	int worst = 0;

	snprintf(complaint, RUN_COMPLAINT_MAX, "not enough memory");
	*ret_listing = (struct rules_listing){0};
	for (size_t i = 0; i < RULES_TABLES && (!worst || worst == -ENOTSUP); i++) {
		int err = listing_read_table(
			command, rules_tables[i], &ret_listing->table[i], complaint);

		ret_listing->unseen[i] = err;
		worst = err ? err : worst;
	}
	return worst;
}

void rules_listing_free(struct rules_listing *l)
{
	for (size_t i = 0; i < RULES_TABLES; i++)
		free(l->table[i]);
}

static const char *table_named(const struct rules_listing *l, const char *line, size_t n)
{
	for (size_t i = 0; i < RULES_TABLES; i++) {
		if (n == strlen(rules_tables[i]) + 1 &&
			memcmp(line + 1, rules_tables[i], n - 1) == 0)
			return l->table[i];
	}
	return "";
}

void rules_listing_change(const struct rules_listing *l, const char *text, FILE *out)
{
	const char *listing = "", *line;
	bool keep = false, deleted = false;
	size_t n;

	while ((n = next_line(&text, &line)) > 0) {
		bool jump = line_is_jump(line, n), ends = line_begins(line, n, "COMMIT");

		if (*line == '*') {
			listing = table_named(l, line, n);
			keep = same_jumps(listing, text);
			deleted = false;
		}
		if ((jump || ends) && !keep && !deleted) {
			delete_jumps(listing, out);
			deleted = true;
		}
		if (*line != '#' && !(jump && keep))
			fprintf(out, "%.*s\n", (int)n, line);
	}
}

static void remove_table(const char *listing, const char *table, FILE *out)
{
	const char *rest = listing, *line;
	bool any_jump = next_jump(listing, &rest, &line) > 0, chain = has_own_chain(listing);

	if (!any_jump && !chain)
		return;
	fprintf(out, "*%s\n", table);
	delete_jumps(listing, out);
	fputs(chain ? "-F PASVD\n-X PASVD\nCOMMIT\n" : "COMMIT\n", out);
}

void rules_listing_remove(const struct rules_listing *l, FILE *out)
{
	for (size_t i = 0; i < RULES_TABLES; i++)
		remove_table(l->table[i], rules_tables[i], out);
}

/* Our chain and its rules. */
static void put_chain(const char *listing, FILE *out)
{
	const char *line;
	size_t n;

	fputs(":PASVD - [0:0]\n", out);
	while ((n = next_line(&listing, &line)) > 0) {
		if (line_begins(line, n, in_chain))
			fprintf(out, "%.*s\n", (int)n, line);
	}
}

/* The jumps, each at its place. */
static void put_jumps(const char *listing, FILE *out)
{
	const char *rest = listing, *line;
	size_t n;

	while ((n = next_jump(listing, &rest, &line)) > 0) {
		size_t chain = strcspn(line + 3, " ");

		fprintf(out, "-I %.*s %zu%.*s\n", (int)chain, line + 3,
			number_of_rule(listing, line), (int)(n - 3 - chain), line + 3 + chain);
	}
}

static void restore_table(const char *now, const char *before, const char *table, FILE *out)
{
	bool chain = has_own_chain(before);

	if (!chain) {
		remove_table(now, table, out);
		return;
	}
	fprintf(out, "*%s\n", table);
	put_chain(before, out);
	if (!same_listed_jumps(now, before)) {
		delete_jumps(now, out);
		put_jumps(before, out);
	}
	fputs("COMMIT\n", out);
}

void rules_listing_restore(
	const struct rules_listing *now, const struct rules_listing *before, FILE *out)
{
	for (size_t i = 0; i < RULES_TABLES; i++)
		restore_table(now->table[i], before->table[i], rules_tables[i], out);
}

void rules_listing_print(const struct rules_listing *l, const char *prefix, FILE *out)
{
	for (size_t i = 0; i < RULES_TABLES; i++) {
		const char *rest = l->table[i], *line;
		size_t n;

		while ((n = next_line(&rest, &line)) > 0) {
			if (line_begins(line, n, in_chain) || line_is_jump(line, n))
				fprintf(out, "%s%s: %.*s\n", prefix, rules_tables[i], (int)n, line);
		}
	}
}
