/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_module_events.c - which uevents say that a module of netfilter was unloaded */
#include "guard.h"
#include "module_events.h"
#include "unit.h"

/* The literal has NULs in it, as the kernel sends them. */
#define IS_UNLOAD(literal) module_event_is_unload(literal, sizeof(literal))

START_TEST(module_of_netfilter_that_is_unloaded_counts)
{
	ck_assert(IS_UNLOAD("remove@/module/nf_conntrack_tftp\0ACTION=remove\0"
			    "DEVPATH=/module/nf_conntrack_tftp\0SUBSYSTEM=module\0SEQNUM=4711"));
	ck_assert(IS_UNLOAD("remove@/module/nfnetlink_cthelper"));
}
END_TEST

START_TEST(other_events_do_not_count)
{
	ck_assert(!IS_UNLOAD("add@/module/nf_conntrack_tftp"));
	ck_assert(!IS_UNLOAD("remove@/module/snd_pcm"));
	ck_assert(!IS_UNLOAD("remove@/devices/virtual/net/nf0"));
	ck_assert(!IS_UNLOAD("libudev"));
}
END_TEST

START_TEST(event_that_is_cut_does_not_count)
{
	static const char event[] = "remove@/module/nf";

	for (size_t n = 0; n < sizeof(event); n++) {
		uint8_t *copy = guard_copy(event, n);

		ck_assert(!module_event_is_unload((const char *)copy, n));
		guard_free(copy, n);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		module_of_netfilter_that_is_unloaded_counts,
		other_events_do_not_count,
		event_that_is_cut_does_not_count,
	};

	return unit_run("module_events", tests, ARRAY_SIZE(tests));
}
