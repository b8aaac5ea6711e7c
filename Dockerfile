# syntax=docker/dockerfile:1

# Debian and not distroless or Alpine: it has a shell, chown and setpriv for the first moment of a start (see
# ENTRYPOINT), and the C library that the tests ran with. To pin harder, add the digest of your platform.
FROM denoland/deno:2.9.6

# Dependencies go into the image here and are never looked for again; see --cached-only.
ENV DENO_DIR=/deno-dir DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
WORKDIR /app

# What changes seldom comes first, so that a change of the code does not fetch the dependencies again.
COPY deno.json deno.lock ./
COPY lib/std_fs lib/std_fs
# The browser driver belongs to the tests; deno ci knows no development dependencies in deno.json.
RUN deno ci --prod && rm -r "$DENO_DIR"/npm/*/playwright-core

COPY main.ts LICENSE ./
COPY lib lib
COPY routes routes
# Compiled once here instead of at each start; fails the build if a module is missing. The user that runs it
# may write to the cache, where V8 keeps what it has compiled.
RUN deno cache main.ts && chown -R deno:deno /deno-dir

# Not made here: a volume that is not mounted must be seen, not written beside. Fly.io's default is the same.
ENV LOG_DIR=/data/logs

EXPOSE 8080 9091

# Fly.io and Docker mount a new volume as root's, and only root can give it away: the start does that as root,
# then becomes the user "deno" for good, by exec, so that signals reach the program itself. On a volume that
# is read-only chown fails, and the program says so better. Started as another user, it just starts.
ENTRYPOINT ["/bin/sh", "-c", "[ \"$(id -u)\" = 0 ] || exec \"$@\"; [ ! -d /data ] || chown -R deno:deno /data || true; exec setpriv --reuid=deno --regid=deno --init-groups --no-new-privs -- \"$@\"", "sh"]

# V8 left to itself keeps as garbage what a small machine has no room for: up to 100 MB in each thread.
CMD ["deno", "run", "--v8-flags=--max-semi-space-size=1,--optimize-for-size", "--cached-only", "-P=start", "main.ts"]
