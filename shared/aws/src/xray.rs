//! The X-Ray daemon, which Lambda runs beside a function: one datagram a subsegment.
//!
//! Nothing waits for it and nothing learns whether it came (developer guide, "Sending segment documents to the X-Ray
//! daemon"). Written by hand: the AWS SDK has no client of the daemon, `xray-lite` only tells the trace of the
//! invocation and has no annotations, and what OpenTelemetry's exporters bring along is paid at each cold start.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use connector::ports::Tracer;
use connector::subsegment::Subsegment;

/// What the daemon wants before each document.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// The daemon at an address.
#[derive(Debug)]
pub struct XrayDaemon {
    socket: UdpSocket,
    address: SocketAddr,
}

impl XrayDaemon {
    /// Takes a port to send from: two system calls, so that it is done in INIT and no message finds it undone.
    ///
    /// The socket is not connected. A connected one would be told that nobody listened to its last datagram when it
    /// sends the next, and that one would be lost as well.
    ///
    /// # Errors
    /// Where the system has no port.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
        }?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }
}

impl Tracer for XrayDaemon {
    fn send(&self, subsegment: &Subsegment) {
        let datagram = format!("{HEADER}{}", subsegment.document());
        // A full buffer or a daemon that is gone costs this subsegment, and nothing else.
        drop(self.socket.send_to(datagram.as_bytes(), self.address));
    }
}

/// The daemon's address in the value of `AWS_XRAY_DAEMON_ADDRESS`: `169.254.79.129:2000`, or
/// `tcp:127.0.0.1:2000 udp:127.0.0.1:2001`. `None` for a host name as well: looking it up would cost a start.
#[must_use]
pub fn daemon_address(value: &str) -> Option<SocketAddr> {
    value.split_whitespace().find_map(|part| part.strip_prefix("udp:").unwrap_or(part).parse().ok())
}
