/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classified.c - accepts all packets of a queue, and has the classifier let lines pass by it
 *
 * In:  classified QUEUE OBJECT PIN
 *      OBJECT is classifier.bpf.o; its program is pinned to PIN, which is in a bpffs.
 * Out: "ready" when the queue is bound; at SIGTERM two numbers: packets of the queue, and lines
 *      that passed by.
 *
 * Plays the daemon's part: for each packet it disarms the connection, takes the lines that passed
 * since the last one, and arms it again after a 227, 229 or 200 of the server, where the next lines
 * open nothing. Reads as much of a packet as that takes, and rewrites nothing.
 * Limits: one server, and clients of one address.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "../bench.h"
#include "line.h"

enum { BATCH = 64, MESSAGE_MAX = 4096, COPIED = 256, BYTES = 4 << 20, FTP = 21, CODE = 4 };

static struct {
	struct mnl_socket *sock;
	uint16_t queue;
	int where; /* the map's descriptor */
	struct line_slot *slot;
	unsigned int slots;
	uint16_t slot_of[UINT16_MAX + 1]; /* by the client's port; plus 1 */
	bool is_placed[SLOTS][2];
	unsigned long packets, passed;
} self;

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	stopping = number;
}

/* Takes what passed: from here on nothing does until the slot is armed. */
static void slot_disarm(struct line_slot *s)
{
	self.passed += slot_count(__atomic_exchange_n(&s->word, 0, __ATOMIC_SEQ_CST));
}

static void slot_arm(struct line_slot *s, uint32_t client_next, uint32_t server_next)
{
	s->base[0] = client_next;
	s->base[1] = server_next;
	__atomic_store_n(&s->word, SLOT_ARMED, __ATOMIC_SEQ_CST);
}

/* The client's port has a slot, and the map leads there from this direction's packets. */
static struct line_slot *slot_find(const struct line_key *key, uint16_t port, uint32_t dir)
{
	uint32_t place;

	if (!self.slot_of[port] && self.slots < SLOTS)
		self.slot_of[port] = (uint16_t)++self.slots;
	if (!self.slot_of[port])
		return NULL;
	place = (self.slot_of[port] - 1U) * 2 + dir;
	if (!self.is_placed[place / 2][dir])
		self.is_placed[place / 2][dir] =
			!bpf_map_update_elem(self.where, key, &place, BPF_ANY);
	return &self.slot[place / 2];
}

static bool opens_nothing_next(const uint8_t *line, size_t len)
{
	return len > CODE && (!memcmp(line, "227 ", CODE) || !memcmp(line, "229 ", CODE) ||
				     !memcmp(line, "200 ", CODE));
}

static void take_packet(const uint8_t *p, size_t len)
{
	const struct iphdr *ip = (const void *)p;
	const struct tcphdr *tcp = (const void *)(p + ip->ihl * 4U);
	size_t at = ip->ihl * 4U + tcp->doff * 4U;
	struct line_key key = {ip->saddr, ip->daddr, tcp->source, tcp->dest};
	uint32_t dir = ntohs(tcp->source) == FTP, end = ntohs(ip->tot_len);
	struct line_slot *slot = slot_find(&key, dir ? tcp->dest : tcp->source, dir);

	self.packets++;
	if (!slot)
		return;
	slot_disarm(slot);
	if (dir && at < len && opens_nothing_next(p + at, len - at))
		slot_arm(slot, ntohl(tcp->ack_seq), ntohl(tcp->seq) + end - (uint32_t)at);
}

static int take_attr(const struct nlattr *attr, void *ret_id)
{
	const struct nfqnl_msg_packet_hdr *hdr = mnl_attr_get_payload(attr);

	if (mnl_attr_get_type(attr) == NFQA_PACKET_HDR)
		*(uint32_t *)ret_id = ntohl(hdr->packet_id);
	else if (mnl_attr_get_type(attr) == NFQA_PAYLOAD)
		take_packet(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

static void send_message(const struct nlmsghdr *nlh)
{
	if (mnl_socket_sendto(self.sock, nlh, nlh->nlmsg_len) < 0)
		fail("send");
}

static void accept_to(uint32_t id)
{
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT_BATCH, self.queue);

	nfq_nlmsg_verdict_put(nlh, (int)id, NF_ACCEPT);
	send_message(nlh);
}

static void bind_queue(void)
{
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, self.queue);
	int on = 1, bytes = BYTES;

	self.sock = mnl_socket_open(NETLINK_NETFILTER);
	if (!self.sock || mnl_socket_bind(self.sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
		setsockopt(mnl_socket_get_fd(self.sock), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
			sizeof(bytes)) < 0 ||
		mnl_socket_setsockopt(self.sock, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		fail("socket");
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	send_message(nlh);
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, self.queue);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, COPIED);
	send_message(nlh);
}

static void load_classifier(const char *object, const char *pin)
{
	struct bpf_object *o = bpf_object__open_file(object, NULL);
	int slots;

	if (!o || bpf_object__load(o) ||
		bpf_program__pin(bpf_object__find_program_by_name(o, "classifier"), pin))
		fail("classifier");
	self.where = bpf_object__find_map_fd_by_name(o, "places");
	slots = bpf_object__find_map_fd_by_name(o, "slots");
	self.slot = mmap(
		NULL, SLOTS * sizeof(*self.slot), PROT_READ | PROT_WRITE, MAP_SHARED, slots, 0);
	if (self.slot == MAP_FAILED)
		fail("mmap");
}

/* All packets that wait, and one verdict for them. False: a signal came. */
static bool take_batch(void)
{
	static _Alignas(struct nlmsghdr) char buf[BATCH][MESSAGE_MAX];
	struct mmsghdr msgs[BATCH] = {0};
	struct iovec iov[BATCH];
	uint32_t id = 0;
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){buf[i], sizeof(buf[i])};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(mnl_socket_get_fd(self.sock), msgs, BATCH, MSG_WAITFORONE, NULL);
	if (n < 0 && errno == EINTR)
		return false;
	if (n <= 0)
		fail("receive");
	for (int i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = (const void *)buf[i];

		if (nlh->nlmsg_type == NLMSG_ERROR)
			fail("the kernel refused something");
		mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take_attr, &id);
	}
	accept_to(id);
	return true;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (argc != 4) {
		fprintf(stderr, "usage: classified QUEUE OBJECT PIN\n");
		return EXIT_FAILURE;
	}
	self.queue = (uint16_t)strtoul(argv[1], NULL, 10);
	sigaction(SIGTERM, &action, NULL);
	load_classifier(argv[2], argv[3]);
	bind_queue();
	puts("ready");
	fflush(stdout);
	while (!stopping && take_batch())
		;
	for (unsigned int i = 0; i < self.slots; i++)
		slot_disarm(&self.slot[i]);
	printf("%lu %lu\n", self.packets, self.passed);
	return EXIT_SUCCESS;
}
