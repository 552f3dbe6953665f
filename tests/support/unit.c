/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.c - what the unit tests of all modules share */
#include "unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = 0xa5 };

int unit_run(const char *name, const TTest *const *test, size_t n)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < n; i++) {
		TCase *tcase = tcase_create(test[i]->name);

		/* the bound is that of the whole program, in meson.build */
		tcase_set_timeout(tcase, 0);
		tcase_add_test(tcase, test[i]);
		suite_add_tcase(suite, tcase);
	}
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void unit_mark(void *p, size_t n)
{
	memset(p, MARK, n);
}

bool unit_is_marked(const void *p, size_t n)
{
	const uint8_t *byte = p;

	for (size_t i = 0; i < n; i++)
		if (byte[i] != MARK)
			return false;
	return true;
}
