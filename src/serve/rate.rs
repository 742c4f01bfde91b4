//! How often one reader may ask.
//!
//! In: `[server] rate` and `burst`, who asks, and when. Out: whether it may, or how long it has to wait.
//! Promise: bounded memory, however many addresses ask; who keeps to the rate is never refused.
//! Not here: who is who ([`super::guard`]).

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use tokio::time::Instant;

/// How many requests in which time: `50/s`, `600/m`, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Rate {
    /// Requests, and in how many seconds; none where there is no limit.
    limit: Option<(u32, u32)>,
}

impl Rate {
    fn per_second(self) -> Option<f64> {
        self.limit.map(|(requests, seconds)| f64::from(requests) / f64::from(seconds))
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        let wrong = || {
            format!(
                "`{text}` is not a rate; write requests in a second, a minute or an hour, such as \"50/s\", or \"none\""
            )
        };
        let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
        let number: u32 = number.trim().parse().map_err(|_| wrong())?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return Err(wrong()),
        };
        if number == 0 {
            return Err(format!("`{text}` lets nobody in; write at least 1, or \"none\" for no limit"));
        }
        Ok(Self { limit: Some((number, seconds)) })
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Who has the token of this name.
    Token(String),
    /// Who has the token of the configuration.
    Configured,
    /// Who has none, by address; of IPv6 the network, in which one reader has addresses without number.
    Address(IpAddr),
    /// Where there is no address to tell, and all for whom there is no room.
    Others,
}

impl Who {
    pub(super) fn at(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(address)) => {
                let network = u128::from(address) >> 64 << 64;
                Self::Address(IpAddr::V6(Ipv6Addr::from(network)))
            }
            Some(address) => Self::Address(address),
            None => Self::Others,
        }
    }
}

/// The most that are told apart.
const MOST: usize = 10_000;

/// What each has left.
pub(super) struct Limiter {
    per_second: f64,
    burst: f64,
    left: Mutex<HashMap<Who, Left>>,
}

#[derive(Clone, Copy)]
struct Left {
    requests: f64,
    at: Instant,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("per_second", &self.per_second).finish_non_exhaustive()
    }
}

impl Limiter {
    /// `None` where there is no limit.
    pub(super) fn new(rate: Rate, burst: u32) -> Option<Self> {
        let per_second = rate.per_second()?;
        Some(Self { per_second, burst: f64::from(burst.max(1)), left: Mutex::default() })
    }

    /// Takes one request from who asks.
    ///
    /// # Errors
    /// How long until there is one.
    pub(super) fn take(&self, who: Who, now: Instant) -> Result<(), Duration> {
        // A panic elsewhere leaves numbers, which are as good as before.
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&who) {
            // Who has waited long enough is as one who never asked.
            all.retain(|_, left| self.refilled(*left, now) < self.burst);
        }
        let who = if all.len() >= MOST && !all.contains_key(&who) { Who::Others } else { who };
        let left = all.entry(who).or_insert(Left { requests: self.burst, at: now });
        *left = Left { requests: self.refilled(*left, now), at: now };
        if left.requests >= 1.0 {
            left.requests -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - left.requests) / self.per_second).min(3_600.0)))
    }

    fn refilled(&self, left: Left, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(left.at).as_secs_f64();
        (left.requests + passed * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, expected) in [("50/s", Some(50.0)), ("600/m", Some(10.0)), ("36/h", Some(0.01)), ("none", None)] {
            assert_eq!(text.parse::<Rate>().expect(text).per_second(), expected, "{text}");
        }
        for text in ["", "50", "50/d", "0/s", "-1/s", "x/s", "1.5/s", "unlimited"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_keeps_to_the_rate_is_never_refused_and_who_does_not_is_told_when() {
        let limiter = Limiter::new("10/s".parse().unwrap(), 3).unwrap();
        let (one, begin) = (Who::Token("one".to_owned()), Instant::now());
        for n in 0..100 {
            assert_eq!(limiter.take(one.clone(), begin + Duration::from_millis(100 * n)), Ok(()), "{n}");
        }
        let later = begin + Duration::from_secs(60);
        let other = Who::at(Some("192.0.2.7".parse().unwrap()));
        let taken = (0..5).map(|_| limiter.take(other.clone(), later).is_ok()).collect::<Vec<_>>();
        assert_eq!(taken, [true, true, true, false, false]);
        let wait = limiter.take(other.clone(), later).unwrap_err();
        assert!(wait > Duration::from_millis(90) && wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(limiter.take(one, later), Ok(()), "each has its own");
        assert_eq!(limiter.take(other, later + Duration::from_millis(110)), Ok(()));
        assert!(Limiter::new(Rate::default(), 3).is_none());
    }

    #[test]
    fn a_network_is_one_reader_and_memory_is_bounded() {
        let at = |text: &str| Who::at(Some(text.parse().unwrap()));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.7"), at("192.0.2.7"));
        let limiter = Limiter::new("1/h".parse().unwrap(), 1).unwrap();
        let now = Instant::now();
        for n in 0..2 * u32::try_from(MOST).unwrap() {
            let _asked = limiter.take(Who::at(Some(IpAddr::V4(n.into()))), now);
        }
        assert!(limiter.left.lock().unwrap().len() <= MOST + 1);
        assert!(limiter.take(at("203.0.113.9"), now).is_err(), "who has no room shares what is left for all others");
    }
}
