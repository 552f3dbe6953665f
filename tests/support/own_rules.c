/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_rules.c - `pasvd rules` with a ct helper of our own, whether or not this kernel takes one
 *
 * For tests/rules: the arguments are those of pasvd, and so is what is printed and loaded.
 */
#include "ct_helper.h"
#include "rules.h"

static const struct ct_helper *own(enum ct_helper_wanted wanted)
{
	static const struct ct_helper ct_helper = {"pasvd", "nfnetlink_cthelper", true};

	(void)wanted;
	return &ct_helper;
}

int main(int argc, char **argv)
{
	static const struct options_command *const commands[] = {&rules_print_command,
		&rules_load_command, &rules_diff_command, &rules_remove_command, NULL};
	static const struct options_program program = {
		.name = "pasvd", .version = PASVD_VERSION, .about = "", .commands = commands};

	rules_ct_helper = own;
	return options_main(&program, argc, argv);
}
