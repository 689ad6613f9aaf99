//! Defines a list with a cursor in which nothing jumps: the row under the cursor keeps its place on the screen when
//! rows come and go, and sorting waits until the person leaves the list alone. Only so long may there be room above.

use crate::model::Timestamp;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// For so long after the last key in a list, its rows are not sorted anew.
pub const SORT_WAITS: SignedDuration = SignedDuration::from_secs(3);

/// What can be a row of a list.
pub trait Row: Clone + Ord {
    /// Returns whether the cursor may stand on it.
    fn selectable(&self) -> bool {
        true
    }
}

/// Rows with a cursor and the part of them that is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct List<K> {
    rows: Vec<K>,
    cursor: usize,
    /// The row at the top of the list's place. Negative: rows above the cursor went away and left room, as long as the
    /// person works in the list without moving.
    top: isize,
    /// Only rows that match are listed.
    pub filter: Option<String>,
    touched: Option<Timestamp>,
    waits: bool,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self { rows: Vec::new(), cursor: 0, top: 0, filter: None, touched: None, waits: false }
    }
}

impl<K: Row> List<K> {
    pub fn rows(&self) -> &[K] {
        &self.rows
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn current(&self) -> Option<&K> {
        self.rows.get(self.cursor)
    }

    /// Returns whether rows stand in an older order, because the person is working in the list.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// Returns when waiting rows may be sorted, and room above them is taken back.
    pub fn sorts_at(&self) -> Option<Timestamp> {
        if self.waits || self.top < 0 { self.touched.map(|t| t + SORT_WAITS) } else { None }
    }

    /// Returns the row at a line of the list's place, counted from 0.
    pub fn row_at_line(&self, line: usize) -> Option<usize> {
        let at = self.top + isize::try_from(line).ok()?;
        usize::try_from(at).ok().filter(|at| *at < self.rows.len())
    }

    /// Returns how many rows are below the part that is seen.
    pub fn below(&self, height: usize) -> usize {
        usize::try_from(self.rows.len().cast_signed() - self.top - height.cast_signed()).unwrap_or(0)
    }

    /// Returns the line on which the cursor stands.
    pub fn cursor_line(&self) -> isize {
        self.cursor.cast_signed() - self.top
    }

    /// Takes in the rows as they should be listed now.
    ///
    /// While the person works in the list, rows that stay keep their order, and new ones go where they belong beside
    /// them. In any case the row under the cursor keeps its line, unless that left room above rows that nobody works in;
    /// if it is gone, the cursor takes its nearest neighbour.
    pub fn refresh(&mut self, ideal: Vec<K>, now: Timestamp, height: usize) {
        let busy = self.touched.is_some_and(|t| now.duration_since(t) < SORT_WAITS);
        self.take_in(ideal, busy, height);
        if !busy {
            self.take_room_back(height);
        }
    }

    /// Leaves no room above the first row.
    pub fn take_room_back(&mut self, height: usize) {
        if self.top < 0 {
            self.top = 0;
            self.keep_in_sight(height);
        }
    }

    fn take_in(&mut self, ideal: Vec<K>, busy: bool, height: usize) {
        let next = if busy && !self.rows.is_empty() {
            let next = merged(&self.rows, &ideal);
            self.waits = next != ideal;
            next
        } else {
            self.waits = false;
            ideal
        };
        if next == self.rows {
            return;
        }
        let cursor = self.kept(&next);
        let line = self.cursor_line();
        self.rows = next;
        // A list that nobody touched shows its first row: that is where the worst stands.
        self.cursor = if self.touched.is_none() { 0 } else { cursor.min(self.rows.len().saturating_sub(1)) };
        self.find_selectable(1);
        if self.touched.is_none() {
            self.top = 0;
            return;
        }
        self.top = self.cursor.cast_signed() - line;
        self.keep_in_sight(height);
        self.leave_no_row_out(height);
    }

    /// Moves the rows only as far as needed that none is out of sight while there is room for it: a row that nobody
    /// sees would be worse than one that jumps.
    fn leave_no_row_out(&mut self, height: usize) {
        let room = self.rows.len().cast_signed() - height.cast_signed();
        self.top = if self.top < 0 { self.top.max(room.min(0)) } else { self.top.min(room.max(0)) };
    }

    /// Returns where the cursor goes among the next rows: its own row, else the nearest that stays.
    fn kept(&self, next: &[K]) -> usize {
        // Mostly it stays where it was; a map of all rows is for when its own row has gone.
        let current = self.current();
        if current.is_some() && next.get(self.cursor) == current {
            return self.cursor;
        }
        let places: BTreeMap<&K, usize> = next.iter().enumerate().map(|(i, k)| (k, i)).collect();
        let below = self.rows.iter().skip(self.cursor);
        let above = self.rows.iter().take(self.cursor).rev();
        below.chain(above).find_map(|k| places.get(k).copied()).unwrap_or(0)
    }

    /// Marks that the person uses the list.
    pub fn touch(&mut self, at: Timestamp) {
        self.touched = Some(at);
    }

    /// Moves the cursor by so many rows it may stand on.
    pub fn step(&mut self, by: isize, height: usize) {
        let direction = if by < 0 { -1 } else { 1 };
        for _ in 0..by.unsigned_abs() {
            let mut at = self.cursor.cast_signed() + direction;
            while let Some(row) = usize::try_from(at).ok().and_then(|i| self.rows.get(i)) {
                if row.selectable() {
                    self.cursor = at.unsigned_abs();
                    break;
                }
                at += direction;
            }
        }
        self.settle(height);
    }

    /// Moves the cursor to a row, or to the nearest that it may stand on.
    pub fn go(&mut self, to: usize, height: usize) {
        self.cursor = to.min(self.rows.len().saturating_sub(1));
        self.find_selectable(1);
        self.settle(height);
    }

    pub fn go_last(&mut self, height: usize) {
        self.cursor = self.rows.len().saturating_sub(1);
        self.find_selectable(-1);
        self.settle(height);
    }

    /// Moves the cursor to this row, if it is listed.
    pub fn go_to(&mut self, key: &K, height: usize) -> bool {
        let Some(at) = self.rows.iter().position(|row| row == key) else { return false };
        self.go(at, height);
        true
    }

    /// Forgets that the list was used, so that it follows its order at once and shows its first row.
    pub fn settle_now(&mut self) {
        self.touched = None;
    }

    /// Sorts at the next refresh, with the cursor kept on its row.
    pub fn sort_now(&mut self) {
        self.touched = self.touched.map(|_| Timestamp::MIN);
    }

    /// Marks that the person relies on where the cursor stands, without working in the list.
    pub fn claim(&mut self) {
        self.touched = self.touched.or(Some(Timestamp::MIN));
    }

    /// Gives the rows other keys; each keeps its place.
    pub fn rename(&mut self, rows: Vec<K>) {
        if rows.len() == self.rows.len() {
            self.rows = rows;
        }
    }

    /// Fits the part that is seen to another height.
    pub fn resize(&mut self, height: usize) {
        self.settle(height);
    }

    fn settle(&mut self, height: usize) {
        self.top = self.top.max(0);
        self.keep_in_sight(height);
        // Room at the end is taken back only when the person moves.
        let most = self.rows.len().saturating_sub(height).cast_signed();
        self.top = self.top.min(most);
        self.keep_in_sight(height);
    }

    /// Keeps in sight the row under the cursor with those that only explain it: below it, and above the first.
    fn keep_in_sight(&mut self, height: usize) {
        let height = height.max(1);
        let explains = |row: &&K| !row.selectable();
        let below = self.rows.iter().skip(self.cursor + 1).take_while(explains).count().min(height - 1);
        let lowest = (self.cursor + below).cast_signed() - height.cast_signed() + 1;
        let is_first = self.rows.iter().take(self.cursor).all(|row| !row.selectable());
        let above = if is_first { self.cursor.min(height - 1 - below) } else { 0 };
        let highest = (self.cursor - above).cast_signed();
        self.top = self.top.clamp(lowest.min(highest), highest);
    }

    fn find_selectable(&mut self, direction: isize) {
        for direction in [direction, -direction] {
            let mut at = self.cursor.cast_signed();
            while let Some(row) = usize::try_from(at).ok().and_then(|i| self.rows.get(i)) {
                if row.selectable() {
                    self.cursor = at.unsigned_abs();
                    return;
                }
                at += direction;
            }
        }
    }
}

/// Returns the old rows that stay, in their old order, with each new row behind the one that it should follow.
fn merged<K: Row>(old: &[K], ideal: &[K]) -> Vec<K> {
    let places: BTreeMap<&K, usize> = ideal.iter().enumerate().map(|(i, k)| (k, i)).collect();
    let known: BTreeSet<&K> = old.iter().collect();
    let mut rows = Vec::with_capacity(ideal.len());
    // New rows in front of everything else, then behind each row those that directly follow it.
    let new_from = |from: usize| ideal.iter().skip(from).take_while(|k| !known.contains(k));
    rows.extend(new_from(0).cloned());
    for row in old {
        if let Some(at) = places.get(row) {
            rows.push(row.clone());
            rows.extend(new_from(at + 1).cloned());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for char {
        fn selectable(&self) -> bool {
            !self.is_uppercase()
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn list(rows: &str) -> List<char> {
        let mut list = List::default();
        list.refresh(rows.chars().collect(), at(0), 4);
        list
    }

    fn shown(list: &List<char>) -> String {
        list.rows().iter().collect()
    }

    #[test]
    fn an_untouched_list_follows_the_order_and_stands_on_its_first_row() {
        let mut list = list("bcd");
        list.refresh("abcd".chars().collect(), at(1), 4);
        assert_eq!((shown(&list).as_str(), list.current(), list.waits()), ("abcd", Some(&'a'), false));
    }

    #[test]
    fn the_row_under_the_cursor_keeps_its_line_when_rows_come_and_go() {
        let mut list = list("abcdefgh");
        list.touch(at(1));
        list.step(3, 4);
        assert_eq!((list.current(), list.cursor_line()), (Some(&'d'), 3));
        list.refresh("xyabcdefgh".chars().collect(), at(10), 4);
        assert_eq!((list.current(), list.cursor_line()), (Some(&'d'), 3));
        list.touch(at(19));
        list.refresh("de".chars().collect(), at(20), 4);
        assert_eq!(
            (list.current(), list.cursor_line()),
            (Some(&'d'), 2),
            "as far as the rows below are seen"
        );
        list.step(1, 4);
        assert_eq!((list.current(), list.cursor_line()), (Some(&'e'), 1), "the room is given back on a move");
    }

    #[test]
    fn room_above_the_rows_is_taken_back_when_the_list_is_left_alone() {
        let mut list = list("abcdefgh");
        list.touch(at(1));
        list.step(3, 4);
        list.refresh("de".chars().collect(), at(2), 4);
        assert_eq!((list.cursor_line(), list.sorts_at()), (2, Some(at(4))));
        list.refresh("de".chars().collect(), at(4), 4);
        assert_eq!((list.cursor_line(), list.sorts_at()), (0, None));
        list.refresh("d".chars().collect(), at(9), 4);
        assert_eq!(list.cursor_line(), 0);
    }

    #[test]
    fn no_row_is_out_of_sight_while_there_is_room_for_it() {
        let mut list = list("abcdefgh");
        list.touch(at(1));
        list.step(3, 4);
        list.refresh("defgh".chars().collect(), at(20), 4);
        assert_eq!((list.current(), list.cursor_line()), (Some(&'d'), 0), "four rows fit: none is left out");
    }

    #[test]
    fn sorting_waits_while_the_list_is_used() {
        let mut list = list("abcd");
        list.touch(at(10));
        list.refresh("dnabc".chars().collect(), at(11), 4);
        assert_eq!((shown(&list).as_str(), list.waits()), ("abcdn", true));
        assert_eq!(list.sorts_at(), Some(at(13)));
        list.refresh("dnabc".chars().collect(), at(13), 4);
        assert_eq!((shown(&list).as_str(), list.waits()), ("dnabc", false));
    }

    #[test]
    fn a_row_that_goes_hands_the_cursor_to_its_neighbour() {
        let mut list = list("abc");
        list.touch(at(0));
        list.step(1, 4);
        list.refresh("ac".chars().collect(), at(9), 4);
        assert_eq!((list.current(), list.cursor_line()), (Some(&'c'), 1));
        list.refresh("a".chars().collect(), at(19), 4);
        assert_eq!(list.current(), Some(&'a'));
        list.refresh(Vec::new(), at(29), 4);
        assert_eq!(list.current(), None);
    }

    #[test]
    fn what_explains_the_row_under_the_cursor_is_in_sight_with_it() {
        let mut list = list("AbCdEFghIJ");
        list.touch(at(1));
        let seen = |list: &List<char>| -> String {
            (0..4).filter_map(|line| list.row_at_line(line)).map(|row| list.rows()[row]).collect()
        };
        list.step(1, 4);
        assert_eq!((list.current(), seen(&list).as_str()), (Some(&'d'), "CdEF"));
        list.go_last(4);
        assert_eq!((list.current(), seen(&list).as_str()), (Some(&'h'), "ghIJ"));
        list.go(0, 4);
        assert_eq!((list.current(), seen(&list).as_str()), (Some(&'b'), "AbCd"));
        list.go_last(2);
        assert_eq!(
            list.current().and_then(|row| seen(&list).find(*row)),
            Some(0),
            "the row itself goes first"
        );
    }

    #[test]
    fn the_cursor_never_stands_on_a_row_that_only_explains() {
        let mut list = list("AbCdE");
        assert_eq!(list.current(), Some(&'b'));
        list.step(1, 4);
        assert_eq!(list.current(), Some(&'d'));
        list.step(1, 4);
        assert_eq!(list.current(), Some(&'d'));
        list.go_last(4);
        assert_eq!(list.current(), Some(&'d'));
        list.step(-5, 4);
        assert_eq!(list.current(), Some(&'b'));
    }
}
