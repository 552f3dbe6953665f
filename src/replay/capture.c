/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.c - `pasvd replay`: what the daemon would have made of the sessions in a capture
 *
 * libpcap reads the file, frame.h finds the packets, follow.h hands them to the core, report.h
 * prints the report. The core is the daemon's, with the daemon's policy; conntrack is played by
 * flow_ct.h. Nothing of this needs a privilege, or the kernel. A file that ends within a packet
 * gets its report all the same.
 */
#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/random.h>

#include "flow_ct.h"
#include "follow.h"
#include "report.h"

enum { STATUS_FAILED = 1 };

enum { US_PER_S = 1000000, SECONDS_MAX = INT32_MAX };

/* Too large for the stack. */
static struct flows flows;

/* Prints one line, whatever characters `what` has. Returns false. */
static bool capture_bad_value(const char *what, const char *why)
{
	fputs("pasvd replay: ", stderr);
	for (; *what; what++)
		fputc(*what >= ' ' && *what <= '~' ? *what : '?', stderr);
	fprintf(stderr, ": %s\n", why);
	return false;
}

/* --- the file --- */

/* In us since 1970; the file can say what it likes. */
static uint64_t capture_time_of(const struct pcap_pkthdr *header)
{
	uint64_t seconds = 0, us = 0;

	if (header->ts.tv_sec > 0)
		seconds =
			header->ts.tv_sec < SECONDS_MAX ? (uint64_t)header->ts.tv_sec : SECONDS_MAX;
	if (header->ts.tv_usec > 0 && header->ts.tv_usec < US_PER_S)
		us = (uint64_t)header->ts.tv_usec;
	return seconds * US_PER_S + us;
}

static bool capture_read_all(pcap_t *pcap, const char *file)
{
	int type = pcap_datalink(pcap), result;
	struct pcap_pkthdr *header;
	const u_char *bytes;
	struct frame frame;

	while ((result = pcap_next_ex(pcap, &header, &bytes)) == 1) {
		if (frame_packet(type, bytes, header->caplen, &frame) == 0)
			follow_packet(&flows, &frame, capture_time_of(header));
		else
			follow_other(&flows);
	}
	follow_end(&flows);
	return result == PCAP_ERROR_BREAK || capture_bad_value(file, pcap_geterr(pcap));
}

static bool is_readable(pcap_t *pcap, const char *file)
{
	int type = pcap_datalink(pcap);
	const char *name = pcap_datalink_val_to_name(type);
	char why[128];

	if (frame_type_known(type))
		return true;
	snprintf(why, sizeof(why),
		"link type %s (%d) is not known; Ethernet, Linux cooked v1 and v2 and raw IP are",
		name ? name : "without a name", type);
	return capture_bad_value(file, why);
}

/* Some of libpcap's errors begin with the file's name. */
static const char *capture_without_name(const char *why, const char *file)
{
	size_t len = strlen(file);

	return strncmp(why, file, len) == 0 && strncmp(why + len, ": ", 2) == 0 ? why + len + 2
										: why;
}

FILE *capture_open(const char *file)
{
	FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");

	if (!in)
		capture_bad_value(file, strerror(errno));
	else /* which asks whether it is a terminal, as long as it may */
		setvbuf(in, NULL, _IOFBF, BUFSIZ);
	return in;
}

/* Reads the head of the file. */
static pcap_t *capture_begin(FILE *in, const char *file)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_fopen_offline(in, why);

	if (!pcap) {
		capture_bad_value(file, capture_without_name(why, file));
		fclose(in);
	} else if (!is_readable(pcap, file)) {
		pcap_close(pcap);
		pcap = NULL;
	}
	return pcap;
}

static bool capture_report(const struct capture_options *o, bool complete)
{
	bool written = true;

	if (o->json)
		written = report_json(&flows, complete, stdout) == 0;
	else
		report_text(&flows, complete, stdout);
	if (written && fflush(stdout) == 0 && !ferror(stdout))
		return true;
	return capture_bad_value("stdout", strerror(errno));
}

int capture_main(const struct capture_options *o, FILE *in, const struct policy *policy,
	struct engine *engine)
{
	uint8_t key[CONNTAB_KEY_LEN];
	struct ct_ops ops;
	pcap_t *pcap = capture_begin(in, o->file);
	bool complete;

	if (!pcap)
		return STATUS_FAILED;
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		memset(key, 0, sizeof(key));
	flows_init(&flows, engine);
	flows.nat = o->nat;
	flows.verbose = o->verbose;
	ops = flow_ct_ops(&flows);
	engine_init(engine, &ops, policy, key);
	complete = capture_read_all(pcap, o->file);
	pcap_close(pcap);
	complete &= capture_report(o, complete);
	flows_free(&flows);
	return complete ? 0 : STATUS_FAILED;
}
