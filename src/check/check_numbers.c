/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_numbers.c - what sysctls say */
#include "checks.h"
#include "shell.h"

enum {
	FULL_PERCENT = 90,
	RFC5382_SECONDS = 7440, /* 2 hours and 4 minutes: REQ-5 */
};

void check_room(struct report *r, const char *about, const char *things, const char *sysctl,
	long count, long max)
{
	struct finding *found;

	if (count < 0 || max <= 0) {
		report_add(r, SEVERITY_UNSEEN, about, "%s cannot be read", sysctl);
		return;
	}
	if (count < max * FULL_PERCENT / 100) {
		report_add(r, SEVERITY_OK, about, "%ld of %ld %s", count, max, things);
		return;
	}
	found = report_add(r, count < max ? SEVERITY_WARNING : SEVERITY_ERROR, about,
		"%ld of %ld %s: %s", count, max, things, count < max ? "nearly full" : "full");
	finding_why(found, "when there is no more room the kernel refuses or drops what is new");
	finding_fix(found, "sysctl -w %s=%ld", sysctl, 2 * max);
}

void check_timeout(struct report *r, long established)
{
	static const char sysctl[] = "net.netfilter.nf_conntrack_tcp_timeout_established";
	struct finding *found;

	if (established < 0 || established >= RFC5382_SECONDS)
		return;
	found = report_add(
		r, SEVERITY_WARNING, "conntrack", "%s is %ld seconds", sysctl, established);
	finding_why(found,
		"a control connection is silent during a transfer: a longer one ends with a "
		"session that hangs, as its "
		"connection is forgotten; RFC 5382 asks for 2 hours and 4 minutes at least");
	finding_fix(found, "sysctl -w %s=%d", sysctl, RFC5382_SECONDS);
}

void check_forwarding(
	struct report *r, const char *interface, const char *sysctl, long value, const char *before)
{
	struct finding *found;

	if (value == 1 || (value > 0 && !*interface)) {
		report_add(r, SEVERITY_OK, "forwarding", "%s is on", sysctl);
		return;
	}
	if (value < 0) {
		report_add(r, SEVERITY_UNSEEN, "forwarding", "%s cannot be read", sysctl);
		return;
	}
	found = report_add(r, SEVERITY_ERROR, "forwarding", "%s is off", sysctl);
	finding_why(found, "packets that come in%s%s and are for somebody else are dropped",
		*interface ? " by " : "", interface);
	if (*before && shell_plain(before))
		finding_fix(found, "sysctl -w %s && sysctl -w %s=1", before, sysctl);
	else if (!*before && shell_plain(sysctl))
		finding_fix(found, "sysctl -w %s=1", sysctl);
}

void check_events(struct report *r, long events)
{
	struct finding *found;

	if (events != 0)
		return;
	found = report_add(
		r, SEVERITY_WARNING, "expectations", "net.netfilter.nf_conntrack_events is 0");
	finding_why(found,
		"the kernel tells nobody what becomes of an expectation: no log line says whether "
		"a port was used");
	finding_fix(found, "sysctl -w net.netfilter.nf_conntrack_events=2");
}

/* Rules of iptables name the helper before conntrack has made the connection; those of nft come
 * later, and replace none. */
void check_auto_helper(struct report *r, long value, bool by_nft)
{
	static const char sysctl[] = "net.netfilter.nf_conntrack_helper";
	struct finding *found;

	if (value <= 0)
		return;
	if (!by_nft) {
		report_add(r, SEVERITY_OK, "ct-helper",
			"%s is %ld: the helper that the rules name stays", sysctl, value);
		return;
	}
	found = report_add(r, SEVERITY_WARNING, "ct-helper", "%s is %ld", sysctl, value);
	finding_why(found,
		"if nf_conntrack_ftp is loaded, connections to port 21 have its helper before "
		"rules of nft can give them another one, and pasvd leaves them alone");
	finding_fix(found, "sysctl -w %s=0", sysctl);
}

void check_bridge(struct report *r, const char *sysctl, long value)
{
	if (value > 0)
		report_add(r, SEVERITY_OK, "bridges",
			"%s is %ld: what is bridged is followed like what is routed", sysctl,
			value);
}

void check_flowtables(struct report *r, size_t n)
{
	if (n)
		report_add(r, SEVERITY_OK, "flowtables",
			"%zu: the kernel offloads no connection that carries a helper, to "
			"hardware neither",
			n);
}
