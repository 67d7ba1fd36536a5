/* SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
 * SPDX-License-Identifier: BSD-3-Clause */

/*
 * Asks a control socket one thing, as a C program does: the layout of the message is the compiler's, and an answer that
 * does not arrive whole in one read is an error.
 *
 *     client SOCKET TYPE COOKIE [FLAGS PATH]
 *
 * Prints each answer in a line: its type and cookie, then what the body has. Ends with 0, or with a line on stderr.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct image {
	uint64_t sectors;
	uint32_t sector_size;
	uint32_t info;
};

struct params {
	uint8_t flags;
	uint8_t storage;
	uint32_t devnum;
	uint32_t domid;
	uint16_t path_len;
	char path[256];
};

struct response {
	int32_t error;
	char message[256];
};

struct minors {
	int32_t count;
	int32_t list[63];
};

struct list {
	int32_t count;
	int32_t minor;
	int32_t state;
	char path[256];
};

struct message {
	uint16_t type;
	uint16_t cookie;
	union {
		int32_t pid;
		struct image image;
		struct params params;
		struct response response;
		struct minors minors;
		struct list list;
	} u;
};

_Static_assert(sizeof(struct message) == 280, "size");
_Static_assert(offsetof(struct message, u) == 8, "body");
_Static_assert(offsetof(struct message, u.params.path) == 22, "path of params");
_Static_assert(offsetof(struct message, u.list.path) == 20, "path of list");
_Static_assert(offsetof(struct message, u.response.message) == 12, "text of response");

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Prints an answer, and answers whether another one follows. */
static int show(const struct message *m)
{
	printf("%u %u", m->type, m->cookie);
	switch (m->type) {
	case 4:
		printf(" pid=%d\n", m->u.pid);
		return 0;
	case 8:
		printf(" sectors=%llu size=%u info=%u\n", (unsigned long long)m->u.image.sectors, m->u.image.sector_size,
		       m->u.image.info);
		return 0;
	case 18:
		printf(" minors=");
		for (int i = 0; i < m->u.minors.count; i++)
			printf("%s%d", i ? "," : "", m->u.minors.list[i]);
		printf("\n");
		return 0;
	case 20:
		printf(" count=%d minor=%d state=%x path=%s\n", m->u.list.count, m->u.list.minor, m->u.list.state,
		       m->u.list.path);
		return m->u.list.count > 0;
	default:
		printf(" error=%d\n", m->u.response.error);
		return 0;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct message request, answer;
	char nothing;
	int fd;

	if (argc != 4 && argc != 6) {
		fprintf(stderr, "usage: client SOCKET TYPE COOKIE [FLAGS PATH]\n");
		return 2;
	}
	memset(&request, 0, sizeof(request));
	request.type = atoi(argv[2]);
	request.cookie = atoi(argv[3]);
	if (argc == 6) {
		request.u.params.flags = atoi(argv[4]);
		request.u.params.path_len = strlen(argv[5]);
		strncpy(request.u.params.path, argv[5], sizeof(request.u.params.path));
	}
	strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("connect");
	if (write(fd, &request, sizeof(request)) != sizeof(request))
		fail("write");
	do {
		ssize_t count = read(fd, &answer, sizeof(answer));
		if (count < 0)
			fail("read");
		if (count != sizeof(answer)) {
			fprintf(stderr, "a read of %zu bytes got %zd\n", sizeof(answer), count);
			return 1;
		}
	} while (show(&answer));
	if (read(fd, &nothing, 1) != 0) {
		fprintf(stderr, "the daemon did not close after its answer\n");
		return 1;
	}
	return 0;
}
