/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reference.c - prints the table of keys for people
 *
 * usage: print_reference manual|example
 *
 * The reference of pasvd.conf(5), or the example file, in which each key is commented out at its
 * default. Not installed: `ninja -C build reference` writes both into the tree, and the test
 * `reference` fails if that was forgotten.
 */
#include "settings.h"

#include <stdio.h>
#include <string.h>

enum { REFERENCE_COLUMNS = 79, REFERENCE_FACT_MAX = 256 };

/* How a text is printed: in mdoc(7) each sentence has lines of its own, elsewhere each line is a
 * comment. */
struct reference_form {
	const char *line, *paragraph; /* what they begin with; the first paragraph with nothing */
	bool sentence_ends_line;
};

static const struct reference_form reference_manual = {"", ".Pp\n", true};
static const struct reference_form reference_example = {"# ", "#\n", false};

static void reference_put_text(const struct reference_form *form, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");
		bool ends_paragraph = text[n] == '\n';

		if (column && column + 1 + n > REFERENCE_COLUMNS) {
			printf("\n");
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column ? " " : form->line, (int)n, text);
		if (!text[n] || ends_paragraph ||
			(form->sentence_ends_line && text[n - 1] == '.')) {
			printf("\n%s", ends_paragraph ? form->paragraph : "");
			column = 0;
		}
		text += n + (text[n] ? 1 : 0);
	}
}

static void reference_put_fact(
	const struct reference_form *form, const char *what, const char *fact)
{
	char text[REFERENCE_FACT_MAX];

	snprintf(text, sizeof(text), "%s: %s.", what, fact);
	reference_put_text(form, text);
}

static void reference_put_facts(const struct reference_form *form, const struct settings_key *key)
{
	static const char *const effects[] = {[SETTINGS_ON_RELOAD] = "on reload",
		[SETTINGS_ON_RESTART] = "after a restart",
		[SETTINGS_WITH_RULES] = "when the rules are loaded"};
	const char *value = key->value_default;

	reference_put_fact(form, key->list == LIST_NONE ? "Value" : "List", key->allowed);
	reference_put_fact(form, "Default", value[0] ? value : "none");
	reference_put_fact(form, "Takes effect", effects[key->effect]);
}

static void reference_put_manual_key(const struct settings_key *key)
{
	printf(".It Ic %s\n", key->name);
	reference_put_text(&reference_manual, key->help);
	printf(".Pp\n");
	reference_put_facts(&reference_manual, key);
}

static void reference_put_example_key(const struct settings_key *key)
{
	const char *value = key->value_default;

	printf("\n");
	reference_put_text(&reference_example, key->help);
	reference_put_facts(&reference_example, key);
	printf("#%s =%s%s\n", key->name, value[0] ? " " : "", value);
}

static void reference_put_keys(const char *section, void (*put)(const struct settings_key *key))
{
	const struct settings_key *key;

	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (strcmp(key->section, section) == 0)
			put(key);
	}
}

/* A section of which there can be several has a name, and none of it is an example's. */
static const char *reference_name_of(const struct settings_section *section)
{
	return strcmp(section->name, SETTINGS_SERVER) == 0 ? " NAME" : "";
}

static void reference_put_manual(void)
{
	const struct settings_section *section;

	for (size_t i = 0; (section = settings_section(i)); i++) {
		printf(".Ss Section %s%s\n", section->name, reference_name_of(section));
		reference_put_text(&reference_manual, section->help);
		printf(".Bl -tag -width Ds\n");
		reference_put_keys(section->name, reference_put_manual_key);
		printf(".El\n");
	}
}

static void reference_put_example(void)
{
	const struct settings_section *section;

	printf("# SPDX-License-Identifier: GPL-2.0-or-later\n");
	reference_put_text(&reference_example,
		"/etc/pasvd/pasvd.conf - what pasvd may open, and what it announces\n"
		"Each key is shown at its default. To set one, remove the # before it. pasvd -n "
		"checks the file, and pasvctl reload has a running pasvd read it again. After it "
		"the files pasvd.conf.d/*.conf are read: the value in the last one counts, and "
		"lists go on. pasvd.conf(5) says more, and has examples.");
	for (size_t i = 0; (section = settings_section(i)); i++) {
		printf("\n%s[%s%s]\n", *reference_name_of(section) ? "#" : "", section->name,
			reference_name_of(section));
		reference_put_text(&reference_example, section->help);
		reference_put_keys(section->name, reference_put_example_key);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "manual") == 0)
		reference_put_manual();
	else if (argc == 2 && strcmp(argv[1], "example") == 0)
		reference_put_example();
	else
		return 2;
	return 0;
}
