// A web server for trying pods out: it answers, logs each request, can be broken so that a probe notices, and stops at
// once when it is asked to. One thread; a client that says nothing holds up nobody.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 128, REQUEST_BYTES = 8192, PATIENCE_SECONDS = 10 };

struct client {
    int fd; // -1: free
    time_t since;
    size_t length;
    char peer[INET6_ADDRSTRLEN];
    char request[REQUEST_BYTES + 1];
};

static struct client clients[CLIENTS];
static int broken;

static time_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

// As process 1 a signal without a handler would be ignored.
static void stop(int signal) {
    (void)signal;
    static const char text[] = "stopping\n";
    ssize_t ignored = write(1, text, sizeof text - 1);
    (void)ignored;
    _exit(0);
}

static int listen_on(unsigned short port) {
    int on = 1, off = 0;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (bind(fd, (struct sockaddr *)&six, sizeof six) == 0 && listen(fd, 128) == 0) return fd;
        close(fd);
    }
    // A kernel without IPv6.
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&four, sizeof four) == 0 && listen(fd, 128) == 0) return fd;
    close(fd);
    return -1;
}

static void name_peer(struct client *client, const struct sockaddr_storage *address) {
    const void *bytes = address->ss_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                                                       : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    if (!inet_ntop(address->ss_family, bytes, client->peer, sizeof client->peer)) strcpy(client->peer, "?");
    if (!strncmp(client->peer, "::ffff:", 7)) memmove(client->peer, client->peer + 7, strlen(client->peer + 7) + 1);
}

static void accept_one(int listener) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int fd = accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i].fd >= 0) continue;
        clients[i].fd = fd;
        clients[i].since = now();
        clients[i].length = 0;
        name_peer(&clients[i], &address);
        return;
    }
    close(fd);
}

static void drop(struct client *client) {
    close(client->fd);
    client->fd = -1;
}

static void answer(struct client *client, const char *method, const char *path, int status, const char *reason,
                   const char *format, ...) {
    char body[1024], head[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(body, sizeof body, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof body) length = sizeof body - 1;
    int head_length = snprintf(head, sizeof head,
        "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", status, reason, length);
    // A few hundred bytes always fit into a fresh socket's buffer.
    if (send(client->fd, head, head_length, MSG_NOSIGNAL | MSG_MORE) == head_length && strcmp(method, "HEAD"))
        send(client->fd, body, length, MSG_NOSIGNAL);
    printf("%s %s %d from %s\n", method, path, status, client->peer);
    shutdown(client->fd, SHUT_WR);
    drop(client);
}

static const char *or_none(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : "-";
}

static void serve(struct client *client) {
    char method[8], path[256], host[256] = "?";
    if (sscanf(client->request, "%7[A-Z] %255[!-~]", method, path) != 2) {
        answer(client, "?", "?", 400, "Bad Request", "that is no request\n");
        return;
    }
    char *query = strchr(path, '?');
    if (query) *query = 0;
    gethostname(host, sizeof host - 1);
    if (!strcmp(path, "/healthz")) {
        if (broken) answer(client, method, path, 500, "Internal Server Error", "broken\n");
        else answer(client, method, path, 200, "OK", "ok\n");
    } else if (!strcmp(path, "/break") || !strcmp(path, "/mend")) {
        broken = path[1] == 'b';
        answer(client, method, path, 200, "OK", broken ? "broken: /healthz fails from now on\n" : "mended\n");
    } else if (!strcmp(path, "/")) {
        answer(client, method, path, 200, "OK", "hello from %s\npod %s\nnamespace %s\nnode %s\nyou are %s\n", host,
            or_none("POD_NAME"), or_none("POD_NAMESPACE"), or_none("NODE_NAME"), client->peer);
    } else {
        answer(client, method, path, 404, "Not Found", "there is /, /healthz, /break and /mend\n");
    }
}

static void receive(struct client *client) {
    ssize_t count = read(client->fd, client->request + client->length, REQUEST_BYTES - client->length);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        drop(client);
        return;
    }
    client->length += count;
    client->request[client->length] = 0;
    if (strstr(client->request, "\r\n\r\n") || strstr(client->request, "\n\n")) serve(client);
    else if (client->length == REQUEST_BYTES) answer(client, "?", "?", 431, "Request Header Fields Too Large", "too long\n");
}

int main(int count, char **arguments) {
    const char *text = count > 1 ? arguments[1] : getenv("PORT");
    int port = text ? atoi(text) : 8080;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (port < 1 || port > 65535) {
        fprintf(stderr, "web: %s is no port\n", text);
        return 2;
    }
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    int listener = listen_on(port);
    if (listener < 0) {
        fprintf(stderr, "web: port %d: %s\n", port, strerror(errno));
        return 1;
    }
    for (int i = 0; i < CLIENTS; i++) clients[i].fd = -1;
    printf("listening on port %d\n", port);
    for (;;) {
        struct pollfd waiting[CLIENTS + 1] = {{.fd = listener, .events = POLLIN}};
        int busy = 0;
        for (int i = 0; i < CLIENTS; i++) {
            if (clients[i].fd >= 0 && now() - clients[i].since > PATIENCE_SECONDS) drop(&clients[i]);
            busy += clients[i].fd >= 0;
            waiting[i + 1] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        }
        if (poll(waiting, CLIENTS + 1, busy ? 1000 : -1) < 0) continue;
        for (int i = 0; i < CLIENTS; i++)
            if (clients[i].fd >= 0 && waiting[i + 1].revents) receive(&clients[i]);
        if (waiting[0].revents) accept_one(listener);
    }
}
