/*
 * The floor that ingest is compared with: a subscriber that does nothing but write each payload and a
 * newline into one file, and syncs it after the last. No validation, no days, no recovery.
 *
 *   floor URL SUBJECT LINES FILE
 *
 * It prints "ready" once the server knows the subscription, "done" after the sync, and then waits to be
 * killed, so that its CPU time and memory can be read from /proc.
 */
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long wanted, received;
static FILE *file;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "Cannot %s: %s\n", what, why);
  exit(1);
}

static void check(const char *what, natsStatus status) {
  if (status != NATS_OK) fail(what, natsStatus_GetText(status));
}

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
  (void)connection;
  (void)subscription;
  (void)closure;
  fwrite(natsMsg_GetData(message), 1, (size_t)natsMsg_GetDataLength(message), file);
  putc_unlocked('\n', file);
  natsMsg_Destroy(message);
  if (++received != wanted) return;
  if (fflush(file) != 0 || fdatasync(fileno(file)) != 0) fail("sync", "the disk refused");
  puts("done");
  fflush(stdout);
}

int main(int count, char **arguments) {
  natsConnection *connection;
  natsSubscription *subscription;
  if (count != 5) fail("start", "wants URL SUBJECT LINES FILE");
  wanted = atol(arguments[3]);
  file = fopen(arguments[4], "w");
  if (file == NULL) fail("open", arguments[4]);
  setvbuf(file, NULL, _IOFBF, 1 << 20);
  check("connect", natsConnection_ConnectTo(&connection, arguments[1]));
  check("subscribe", natsConnection_Subscribe(&subscription, connection, arguments[2], on_message, NULL));
  /*
   * No limit to what may wait in this process. Not through natsOptions_SetMaxPendingMsgs: the library
   * multiplies that number by 1024 in an int, and above two million the subscription is refused.
   */
  check("lift the limits", natsSubscription_SetPendingLimits(subscription, -1, -1));
  check("flush", natsConnection_FlushTimeout(connection, 5000));
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
