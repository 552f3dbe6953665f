/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - what may be opened
 *
 * The server's address is what conntrack says, never what the text says: the text may only agree with it, or
 * with the address that the client dialled.
 */
#include "pasvd/policy.h"

enum reason policy_plan(const struct ftp_reply *offer, const struct ct_view *view, struct plan *ret_plan)
{
	const struct tuple *original = &view->tuple[DIR_ORIGINAL];
	const struct addr *server = &view->tuple[DIR_REPLY].src.addr;
	const struct addr *dialled = &original->dst.addr;
	const struct addr *told = &offer->listen.addr;
	uint16_t port = offer->listen.port;
	struct endpoint announce = {*dialled, port};

	if (port < POLICY_LOWEST_PORT)
		return REASON_LOW_PORT;
	if (told->family != ADDR_NONE && !addr_eq(told, server) && !addr_eq(told, dialled))
		return REASON_FOREIGN_ADDRESS;
	*ret_plan = (struct plan){
		.announce = announce,
		.expect =
			{
				.master = *original,
				.tuple = {{original->src.addr, 0}, announce, original->zone},
				.nat_dir = DIR_ORIGINAL,
				.nat = {*server, port},
			},
	};
	return REASON_OPENED;
}

void policy_next_port(struct plan *plan)
{
	uint16_t port = plan->announce.port;

	plan->announce.port = port == UINT16_MAX ? POLICY_LOWEST_PORT : (uint16_t)(port + 1);
	plan->expect.tuple.dst = plan->announce;
}
