/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_ct.h - a conntrack in memory, made of the connections of a capture */
#ifndef PASVD_FLOW_CT_H
#define PASVD_FLOW_CT_H

#include "flow.h"

/* What the core is given; `f` stays where it is. */
struct ct_ops flow_ct_ops(struct flows *f);

/* The expectation of the connection, if there is one, was used. */
void flow_ct_used(struct flows *f, struct flow *flow);

#endif
