/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood.c - one flow of UDP as fast as it goes
 *
 * In:  flood ADDRESS PORT COUNT
 * Out: one line: nanoseconds that COUNT packets took.
 *
 * Between virtual interfaces the way of a packet to the other end's socket is part of sending it,
 * so the time is that of the whole way.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "bench.h"

enum { BATCH = 32, PAYLOAD = 18 };

/* Nanoseconds that it takes. */
static int64_t run(int fd, long count)
{
	static char payload[PAYLOAD];
	struct iovec iov = {payload, sizeof(payload)};
	struct mmsghdr msgs[BATCH] = {0};
	int64_t start = now_ns();

	for (int i = 0; i < BATCH; i++)
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	while (count > 0) {
		int n = sendmmsg(fd, msgs, count < BATCH ? (unsigned int)count : BATCH, 0);

		if (n <= 0)
			fail("sendmmsg");
		count -= n;
	}
	return now_ns() - start;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: flood ADDRESS PORT COUNT\n");
		return EXIT_FAILURE;
	}
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		fail("socket");
	printf("%lld\n", (long long)run(fd, strtol(argv[3], NULL, 10)));
	return EXIT_SUCCESS;
}
