/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_capture.c - frames of a capture into a report
 *
 * The input: a link type and whether NAT is known, a byte each; then frames, each with how much
 * later it comes (a byte, 0.1 s; 255 is back by an hour), its length (two bytes, the high one
 * first) and its bytes.
 */
#include <jansson.h>
#include <pcap/dlt.h>
#include <string.h>

#include "flow_ct.h"
#include "follow.h"
#include "fuzz.h"
#include "guard.h"
#include "pasvd/array.h"
#include "report.h"

enum { TENTH = 100000, HOUR = 36000, BACK = 255, WAITING_MOST = 9 };

static struct flows flows;
static struct engine engine;

static void start(struct input *in, int *ret_type)
{
	static const int types[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW};
	static const uint8_t key[CONNTAB_KEY_LEN] = {3};
	static struct policy policy;
	struct ct_ops ops;

	*ret_type = types[take_number(in, 0, ARRAY_SIZE(types) - 1)];
	flows_init(&flows, &engine);
	if (take_byte(in) & 1)
		nat_add(&flows.nat, "203.0.113.1=10.77.0.2");
	flows.verbose = true;
	policy = policy_default;
	policy.tls_ports[policy.n_tls_ports++] =
		(struct tls_ports){.ports = {POLICY_LOWEST_PORT, UINT16_MAX}};
	ops = flow_ct_ops(&flows);
	engine_init(&engine, &ops, &policy, key);
}

static void one_frame(struct input *in, int type, uint64_t *now)
{
	uint64_t later = take_byte(in);
	size_t high = take_byte(in), wanted = high << 8 | take_byte(in), n;
	const uint8_t *bytes = take_bytes(in, wanted, &n);
	uint8_t *p = guard_copy(bytes, n);
	struct frame frame;

	*now += later == BACK ? -(uint64_t)HOUR * TENTH : later * TENTH;
	if (frame_packet(type, p, n, &frame) == 0)
		follow_packet(&flows, &frame, *now);
	else
		follow_other(&flows);
	guard_free(p, n);
}

static void check_flow(const struct flow *flow)
{
	uint64_t time = 0;

	for (size_t i = 0; i < flow->n_events; i++) {
		REQUIRE(flow->event[i].time >= time);
		time = flow->event[i].time;
	}
	for (int dir = 0; dir < 2; dir++)
		REQUIRE(flow->side[dir].n_waiting < WAITING_MOST);
}

/* Nothing that was captured gets out but in printable characters. */
static void check_text(void)
{
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	report_text(&flows, true, out);
	fclose(out);
	for (size_t i = 0; i < n; i++)
		REQUIRE((text[i] >= ' ' && text[i] <= '~') || text[i] == '\n');
	free(text);
}

static void check_json(void)
{
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	json_t *o;

	REQUIRE(report_json(&flows, true, out) == 0);
	fclose(out);
	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_is_object(o));
	json_decref(o);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint64_t now = (uint64_t)HOUR * TENTH * 1000;
	int type;

	start(&in, &type);
	while (in.n) {
		one_frame(&in, type, &now);
		for (const struct flow *flow = flows.first; flow; flow = flow->next)
			check_flow(flow);
	}
	follow_end(&flows);
	for (const struct flow *flow = flows.first; flow; flow = flow->next)
		REQUIRE(!flow->side[0].waiting && !flow->side[1].waiting);
	check_text();
	check_json();
	flows_free(&flows);
	return 0;
}
