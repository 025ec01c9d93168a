//! Which address a connection comes from. One address has as many connections to one server as it has ports,
//! so many connections need several: on Linux all of 127.0.0.0/8 is this machine.
//!
//! Must not know: how many connections there will be, when they are begun.

use super::error::BenchError;
use super::plan::Scenario;
use super::sockets::Destination;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Connections from one address on loopback before the next one is taken: well below the ephemeral ports of
/// any system, so that those of the last run, still in TIME_WAIT, leave enough.
const CONNECTIONS_PER_ADDRESS: u64 = 4096;

/// 127.0.0.1 to 127.0.0.250.
const LOOPBACK_ADDRESSES: u64 = 250;

/// The source addresses of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sources {
    /// The system picks.
    System,
    /// One after the other, and from the first again.
    Given(Vec<IpAddr>),
    /// So many from 127.0.0.1, as many from the next, and so on.
    LoopbackFilled,
    /// Each connection from the next one: they come and go all the time, and each leaves a port behind.
    LoopbackSpread,
}

impl Sources {
    /// Those given, or what suits the scenario. Destinations that no given one can connect to are left out.
    ///
    /// # Errors
    /// When a given one suits no destination, or is not an address of this machine.
    pub(crate) fn new(
        given: &[IpAddr],
        destinations: &mut Vec<Destination>,
        scenario: Scenario,
    ) -> Result<Self, BenchError> {
        if given.is_empty() {
            return Ok(Self::picked(destinations, scenario));
        }
        for &address in given {
            if !destinations.iter().any(|destination| suits(address, destination)) {
                return Err(does_not_suit(address, destinations));
            }
            try_to_bind(address).map_err(|cause| BenchError::SourceAddress { address, cause })?;
        }
        destinations.retain(|destination| given.iter().any(|address| suits(*address, destination)));
        Ok(Self::Given(given.to_vec()))
    }

    fn picked(destinations: &[Destination], scenario: Scenario) -> Self {
        match scenario {
            _ if !destinations.iter().any(is_all_loopback) => Self::System,
            Scenario::Connect => Self::LoopbackSpread,
            Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow => Self::LoopbackFilled,
        }
    }

    /// The address of connection number `n`, from 0 on, to this destination. `None`: let the system pick; it
    /// finds a port more easily, since one may be in use by a connection to another server.
    pub(crate) fn address(&self, n: u64, destination: &Destination) -> Option<IpAddr> {
        match self {
            Self::System => None,
            Self::Given(addresses) => {
                let fitting = || addresses.iter().filter(|address| suits(**address, destination));
                let index = n % fitting().count().max(1) as u64;
                fitting().nth(index as usize).copied()
            }
            Self::LoopbackFilled | Self::LoopbackSpread if !is_all_loopback(destination) => None,
            // To 127.0.0.0/8 the system picks 127.0.0.1 by itself.
            Self::LoopbackFilled if n < CONNECTIONS_PER_ADDRESS => None,
            Self::LoopbackFilled => Some(loopback(n / CONNECTIONS_PER_ADDRESS)),
            Self::LoopbackSpread => Some(loopback(n)),
        }
    }
}

fn suits(address: IpAddr, destination: &Destination) -> bool {
    match destination {
        Destination::Tcp(destination) => destination.is_ipv4() == address.is_ipv4(),
        Destination::Unix(_) => false,
    }
}

fn does_not_suit(address: IpAddr, destinations: &[Destination]) -> BenchError {
    match destinations.first() {
        Some(Destination::Tcp(destination)) => {
            BenchError::SourceFamily { address, destination: *destination }
        }
        Some(Destination::Unix(_)) | None => BenchError::SourceOfUnix,
    }
}

/// Whether all of 127.0.0.0/8 can connect to it.
fn is_all_loopback(destination: &Destination) -> bool {
    match destination {
        Destination::Tcp(SocketAddr::V4(address)) => cfg!(target_os = "linux") && address.ip().is_loopback(),
        Destination::Tcp(SocketAddr::V6(_)) | Destination::Unix(_) => false,
    }
}

/// One of them, counted from 0, and from the first again.
fn loopback(index: u64) -> IpAddr {
    // At most 250, so it fits.
    let last = (index % LOOPBACK_ADDRESSES) as u8 + 1;
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// Later, "address not available" would mean that the ports have run out.
fn try_to_bind(address: IpAddr) -> io::Result<()> {
    let address = SocketAddr::new(address, 0);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&address.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn tcp(address: &str) -> Destination {
        Destination::Tcp(address.parse().expect("an address"))
    }

    #[test]
    fn picked_for_the_destination() {
        let linux = |sources| if cfg!(target_os = "linux") { sources } else { Sources::System };
        let rows = [
            (tcp("127.0.0.1:80"), Scenario::Broadcast, linux(Sources::LoopbackFilled)),
            (tcp("127.9.9.9:80"), Scenario::Connect, linux(Sources::LoopbackSpread)),
            (tcp("192.0.2.1:80"), Scenario::Connect, Sources::System),
            (tcp("[::1]:80"), Scenario::Broadcast, Sources::System),
            (Destination::Unix("/tmp/s".into()), Scenario::Connect, Sources::System),
        ];
        for (destination, scenario, want) in rows {
            let mut destinations = vec![destination];
            let got = Sources::new(&[], &mut destinations, scenario).expect("nothing was given");
            assert_eq!(got, want, "{destinations:?}");
        }
    }

    #[test]
    fn addresses() {
        let given =
            Sources::Given(vec![[10, 0, 0, 1].into(), Ipv6Addr::LOCALHOST.into(), [10, 0, 0, 2].into()]);
        let rows = [
            (&Sources::System, 5, None),
            (&given, 0, Some([10, 0, 0, 1])),
            (&given, 1, Some([10, 0, 0, 2])),
            (&given, u64::MAX, Some([10, 0, 0, 2])),
        ];
        let on_loopback = [
            (&Sources::LoopbackFilled, 4095, None),
            (&Sources::LoopbackFilled, 4096, Some([127, 0, 0, 2])),
            (&Sources::LoopbackFilled, 18_999, Some([127, 0, 0, 5])),
            (&Sources::LoopbackFilled, 4096 * 250, Some([127, 0, 0, 1])),
            (&Sources::LoopbackSpread, 0, Some([127, 0, 0, 1])),
            (&Sources::LoopbackSpread, 249, Some([127, 0, 0, 250])),
            (&Sources::LoopbackSpread, 250, Some([127, 0, 0, 1])),
        ];
        let on_loopback = on_loopback.into_iter().filter(|_| cfg!(target_os = "linux"));
        for (sources, n, want) in rows.into_iter().chain(on_loopback) {
            assert_eq!(sources.address(n, &tcp("127.0.0.1:80")), want.map(IpAddr::from), "{sources:?}, {n}");
        }
        // The other address of `localhost`.
        assert_eq!(given.address(7, &tcp("[::1]:80")), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(Sources::LoopbackSpread.address(7, &tcp("[::1]:80")), None);
    }

    #[test]
    fn given_ones_must_suit() {
        let local = IpAddr::from(Ipv4Addr::LOCALHOST);
        let made = |given: &[IpAddr], mut destinations: Vec<Destination>| {
            Sources::new(given, &mut destinations, Scenario::Connect).map(|sources| (sources, destinations))
        };
        let both = vec![tcp("[::1]:80"), tcp("127.0.0.1:80")];
        let right = made(&[local], both).expect("one of them suits");
        assert_eq!(right, (Sources::Given(vec![local]), vec![tcp("127.0.0.1:80")]));
        let error = made(&[local], vec![tcp("[::1]:80")]).expect_err("another family");
        assert!(matches!(error, BenchError::SourceFamily { .. }), "{error}");
        // Of the block for documentation (RFC 5737): nobody has it.
        let error = made(&[local, [192, 0, 2, 1].into()], vec![tcp("127.0.0.1:80")]).expect_err("not ours");
        assert!(matches!(error, BenchError::SourceAddress { .. }), "{error}");
        let error = made(&[local], vec![Destination::Unix("/tmp/s".into())]).expect_err("no address");
        assert!(matches!(error, BenchError::SourceOfUnix), "{error}");
    }
}
