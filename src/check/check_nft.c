/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_nft.c - whether pasvd's table of nft is as it should be */
#include <stdlib.h>
#include <string.h>

#include "checks.h"

static const char about[] = "rules";

static void check_nft_different(const struct facts *f, struct report *r)
{
	struct finding *found =
		report_add(r, SEVERITY_ERROR, about, "nft: not as %s%s%s has them: %s",
			f->configured ? "the configuration" : "`pasvd rules ", f->nft.options,
			f->configured ? "" : "`", f->nft.difference);

	finding_why(found, "packets get to pasvd by these rules alone");
	finding_fix(found, "%s load%s%s%s", f->loader, f->nft.options[0] ? " " : "", f->nft.options,
		f->config);
}

/* `refused` is what `pasvd rules diff` says: nft refuses "...": why. */
static void check_nft_refused(const char *refused, struct report *r)
{
	struct finding *found = report_add(
		r, SEVERITY_ERROR, "kernel", "%.*s", (int)strcspn(refused, ";"), refused);

	finding_why(found, "each rule is needed, and so is what it asks of the kernel and of nft");
	finding_fix(found, "modprobe -a nft_queue nft_ct nft_nat");
}

static void check_nft_without_options(const struct facts *f, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_UNSEEN, about,
		"nft: whether they are whole: they do not say whom they are for");

	finding_advice(found, "%s diff with the options with which they were loaded", f->loader);
}

static void check_nft_twice(const struct facts *f, struct report *r)
{
	for (size_t i = 0; f->nft.loaded && i < f->n_targets; i++) {
		const struct target *t = &f->target[i];
		struct finding *found;

		if (!t->loaded || filter_is_nft(t->filter))
			continue;
		found = report_add(r, SEVERITY_ERROR, about,
			"%s: loaded twice, with %s and with nft", target_family(t),
			t->filter->command);
		finding_why(found, "packets go to pasvd twice, and what is changed in one place "
				   "stays in the other");
		finding_advice(
			found, "take both away (%s remove), and load one of them", f->loader);
	}
}

void check_nft(const struct facts *f, struct report *r)
{
	const char *refused = strstr(f->nft.complaint, "nft refuses");

	if (f->nft.wanted && f->nft.status == EXIT_SUCCESS)
		report_add(r, SEVERITY_OK, about, "nft: those of %s%s%s are loaded",
			f->configured ? "the configuration" : "`pasvd rules ", f->nft.options,
			f->configured ? "" : "`");
	else if (f->nft.wanted && f->nft.difference[0])
		check_nft_different(f, r);
	else if (f->nft.wanted && refused)
		check_nft_refused(refused, r);
	else if (f->nft.wanted)
		report_add(r, SEVERITY_UNSEEN, about, "nft: whether they are loaded: %s",
			f->nft.complaint);
	else if (f->nft.loaded)
		check_nft_without_options(f, r);
	check_nft_twice(f, r);
}

bool filter_is_nft(const struct filter *f)
{
	return strcmp(f->command, "nft") == 0;
}

bool chain_is_of_pasvd(const struct chain *c)
{
	return strcmp(c->family, "inet") == 0 && strcmp(c->table, "pasvd") == 0;
}
