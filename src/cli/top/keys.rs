//! What a key does to what is shown.
//!
//! In: keys. Out: which list, in which order, filtered by what, from which row on. Promise: no key changes anything else.

use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};

/// A list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Panel {
    #[default]
    Feeds,
    Consumers,
    Errors,
}

impl Panel {
    pub(super) const ALL: [Self; 3] = [Self::Feeds, Self::Consumers, Self::Errors];

    fn after(self, steps: usize) -> Self {
        let at = Self::ALL.iter().position(|panel| *panel == self).unwrap_or_default();
        Self::ALL[(at + steps) % Self::ALL.len()]
    }
}

/// What is to be shown.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) color: bool,
    pub(super) panel: Panel,
    /// By which column of the list it is sorted, and whether the other way round; the list knows how many it has.
    pub(super) sort: usize,
    pub(super) reversed: bool,
    /// Only rows that have this in one of their cells.
    pub(super) filter: String,
    /// Whether the filter is being typed.
    pub(super) typing: bool,
    pub(super) help: bool,
    /// The first row that is shown; the view knows how many there are.
    pub(super) top: usize,
    /// Rows that fit; said by the view.
    pub(super) page: usize,
}

/// What comes after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    End,
}

impl Look {
    pub(super) const fn new(color: bool) -> Self {
        Self {
            color,
            panel: Panel::Feeds,
            sort: 0,
            reversed: false,
            filter: String::new(),
            typing: false,
            help: false,
            top: 0,
            page: 1,
        }
    }

    pub(super) fn take(&mut self, event: &Event) -> Next {
        let Some(key) = event.as_key_event().filter(|key| key.kind != KeyEventKind::Release) else { return Next::Stay };
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if matches!(key.code, KeyCode::Char('c' | 'd')) { Next::End } else { Next::Stay };
        }
        if self.typing {
            self.write(key.code);
            return Next::Stay;
        }
        if std::mem::take(&mut self.help) {
            return Next::Stay;
        }
        match key.code {
            KeyCode::Char('q') => return Next::End,
            KeyCode::Esc if self.filter.is_empty() => return Next::End,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('r') => self.reversed = !self.reversed,
            KeyCode::Tab => self.turn(1),
            KeyCode::BackTab => self.turn(Panel::ALL.len() - 1),
            KeyCode::Left => self.sort = self.sort.saturating_sub(1),
            KeyCode::Right => self.sort += 1,
            KeyCode::Up => self.top = self.top.saturating_sub(1),
            KeyCode::Down => self.top += 1,
            KeyCode::PageUp => self.top = self.top.saturating_sub(self.page),
            KeyCode::PageDown => self.top = self.top.saturating_add(self.page),
            KeyCode::Home => self.top = 0,
            KeyCode::End => self.top = usize::MAX / 2,
            _ => {}
        }
        Next::Stay
    }

    fn turn(&mut self, steps: usize) {
        self.panel = self.panel.after(steps);
        (self.sort, self.reversed, self.top) = (0, false, 0);
    }

    fn write(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(c) if self.filter.chars().count() < 100 => self.filter.push(c),
            _ => {}
        }
        self.top = 0;
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn keys_do_what_the_help_says() {
        let mut look = Look::new(false);
        let mut press = |code: KeyCode| look.take(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        let typed =
            [KeyCode::Char('/'), KeyCode::Char('q'), KeyCode::Char('خ'), KeyCode::Char('x'), KeyCode::Backspace];
        assert!(typed.into_iter().all(|key| press(key) == Next::Stay));
        assert_eq!(press(KeyCode::Enter), Next::Stay);
        for key in [KeyCode::Right, KeyCode::Right, KeyCode::Left, KeyCode::Down, KeyCode::PageDown, KeyCode::Char('r')]
        {
            assert_eq!(press(key), Next::Stay);
        }
        assert_eq!((look.filter.as_str(), look.sort, look.top, look.reversed), ("qخ", 1, 2, true));
        let mut press = |code: KeyCode| look.take(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        for key in [KeyCode::End, KeyCode::Down, KeyCode::PageDown, KeyCode::Tab, KeyCode::BackTab, KeyCode::BackTab] {
            assert_eq!(press(key), Next::Stay);
        }
        // Escape takes back the filter first; any key closes the help.
        assert_eq!([press(KeyCode::Esc), press(KeyCode::Char('?')), press(KeyCode::Char('q'))], [Next::Stay; 3]);
        assert_eq!(press(KeyCode::Char('q')), Next::End);
        assert_eq!((look.panel, look.sort, look.filter.as_str()), (Panel::Errors, 0, ""));
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(look.take(&Event::Key(control)), Next::End);
        assert_eq!(look.take(&Event::Resize(1, 1)), Next::Stay);
    }
}
