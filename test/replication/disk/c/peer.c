/*
 * SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A small peer that speaks the C driver's protocol with the blocking calls that a C program makes, for tests over real
 * sockets:
 *
 *   peer backup ADDRESS PORT IMAGE     listens, takes checkpoints into the image, answers each; ends with the connection
 *   peer primary ADDRESS PORT SCRIPT   connects and does what the script says, a command each: wSECTOR+COUNT=BYTE, c
 *                                      (commit, and wait for the answer), x (end in the middle of a message)
 *
 * Each says on standard output what it has seen, a line each. Written from docs/replication-protocol.md.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECTOR 512
#define MAX_SECTORS 8
#define MAX_WRITES 4096

struct header {
  uint32_t sectors;
  uint64_t first;
} __attribute__((packed));

struct change {
  struct header header;
  char data[MAX_SECTORS * SECTOR];
};

static void say(const char *what) {
  printf("%s\n", what);
  fflush(stdout);
}

static int get(int fd, void *into, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t count = read(fd, (char *)into + at, length - at);
    if (count <= 0) return -1;
    at += count;
  }
  return 0;
}

static int put(int fd, const void *from, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t count = write(fd, (const char *)from + at, length - at);
    if (count <= 0) return -1;
    at += count;
  }
  return 0;
}

static int address_of(const char *address, const char *port, struct sockaddr_in *out) {
  memset(out, 0, sizeof *out);
  out->sin_family = AF_INET;
  out->sin_port = htons(atoi(port));
  return inet_pton(AF_INET, address, &out->sin_addr) == 1 ? 0 : -1;
}

static int backup(int fd, const char *path) {
  static struct change changes[MAX_WRITES];
  int open_changes = 0, commits = 0, skipped = 0;
  char tag[5] = "";
  int image = open(path, O_RDWR);
  if (image < 0) return 2;
  while (get(fd, tag, 4) == 0) {
    if (memcmp(tag, "wreq", 4) == 0) {
      struct change *change = &changes[open_changes];
      if (get(fd, &change->header, sizeof change->header) < 0) break;
      if (change->header.sectors > MAX_SECTORS || open_changes == MAX_WRITES - 1) {
        say("too large");
        return 3;
      }
      if (get(fd, change->data, change->header.sectors * SECTOR) < 0) break;
      open_changes++;
    } else if (memcmp(tag, "creq", 4) == 0) {
      for (int at = 0; at < open_changes; at++)
        if (pwrite(image, changes[at].data, changes[at].header.sectors * SECTOR, changes[at].header.first * SECTOR) < 0)
          return 2;
      printf("commit %d of %d\n", ++commits, open_changes);
      fflush(stdout);
      open_changes = 0;
      if (put(fd, "done", 4) < 0) break;
    } else {
      printf("skipped %d %s\n", ++skipped, tag);
      fflush(stdout);
    }
  }
  printf("end, %d open\n", open_changes);
  return 0;
}

static int primary(int fd, char *script) {
  char data[MAX_SECTORS * SECTOR], tag[5] = "";
  for (char *word = strtok(script, " "); word; word = strtok(NULL, " ")) {
    unsigned long sector;
    unsigned count, byte;
    if (sscanf(word, "w%lu+%u=%x", &sector, &count, &byte) == 3) {
      struct header header = {count, sector};
      memset(data, byte, sizeof data);
      if (put(fd, "wreq", 4) < 0 || put(fd, &header, sizeof header) < 0 || put(fd, data, count * SECTOR) < 0) return 3;
    } else if (*word == 'c') {
      if (put(fd, "creq", 4) < 0 || get(fd, tag, 4) < 0) {
        say("no answer");
        return 3;
      }
      say(tag);
    } else if (*word == 'x') {
      if (put(fd, "wreq", 4) < 0) return 3;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (argc != 5 || fd < 0 || address_of(argv[2], argv[3], &address) < 0) return 64;
  if (strcmp(argv[1], "primary") == 0) {
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
      say("refused");
      return 1;
    }
    say("connected");
    return primary(fd, argv[4]);
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) return 1;
  say("listening");
  int connection = accept(fd, NULL, NULL);
  close(fd);
  if (connection < 0) return 1;
  say("connected");
  return backup(connection, argv[4]);
}
