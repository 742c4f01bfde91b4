//! Arabic text: bytes to characters, characters to words that compare equal when a reader would call them the same.
//!
//! In order of use: [`decode`] the bytes, read a [`date`], tell the [`language`], cut into words ([`tokenize`]), which
//! [`normalize`]s on the way, and to stems ([`stem`]) where words are weighed, or to all the [`forms`] that a search finds them by. What a site prints on page after page is known
//! by its lines ([`recurring`]).
//!
//! Not here: what the words mean ([`crate::topic`]) and whether two texts are copies ([`crate::dedup`]).

pub mod date;
pub mod decode;
mod entity;
mod fold;
pub mod forms;
pub mod hashed;
mod kin;
pub mod language;
pub mod normalize;
mod plausible;
pub mod recurring;
pub mod stem;
pub mod tokenize;
