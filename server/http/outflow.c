#include "server/http/outflow.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool outflow_stalls(Outflow *outflow, int descriptor, int64_t now) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    int left = 0;
    if (ioctl(descriptor, SIOCOUTQ, &left) != 0 || left <= 0 ||
        getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) {
        outflow->since = 0;
        return false;
    }
    uint64_t taken = info.tcpi_bytes_acked;
    if (outflow->since == 0 || taken >= outflow->target) {
        outflow->since = now;
        outflow->target = taken + (uint64_t)(left < OUTFLOW_BYTES ? left : OUTFLOW_BYTES);
    }
    return now - outflow->since > OUTFLOW_MS;
}
