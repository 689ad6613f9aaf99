//! Defines where things are on the screen, as plain rectangles: paging, the mouse and "nothing jumps" need them, and
//! the drawing follows them.

/// The size of the screen in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

/// A rectangle of cells, from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rect {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

/// A column of the deck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    Repos,
    Apps,
    Clusters,
    Drift,
}

/// Where the parts of the deck are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Side by side, or one column at a time.
    pub wide: bool,
    pub header: Rect,
    /// What lies between header and status line, for screens that take all of it.
    pub body: Rect,
    repos: Rect,
    apps: Rect,
    clusters: Rect,
    drift: Rect,
    /// The line that says what just happened, or asks for a filter.
    pub status: Rect,
    pub footer: Rect,
}

/// From this width on, the columns stand side by side.
pub const WIDE_FROM: u16 = 100;
/// From this height on, there is room for columns above and drift below.
const TALL_FROM: u16 = 20;

impl Column {
    pub const ALL: [Column; 4] = [Column::Repos, Column::Apps, Column::Clusters, Column::Drift];

    pub fn title(self) -> &'static str {
        match self {
            Column::Repos => "Repos",
            Column::Apps => "Apps",
            Column::Clusters => "Clusters",
            Column::Drift => "Drift",
        }
    }
}

impl Rect {
    pub fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    pub fn contains(self, x: u16, y: u16) -> bool {
        x >= self.x
            && x < self.x.saturating_add(self.width)
            && y >= self.y
            && y < self.y.saturating_add(self.height)
    }

    /// Returns the rectangle without its first rows.
    #[must_use]
    pub fn below(self, rows: u16) -> Self {
        let rows = rows.min(self.height);
        Self { y: self.y + rows, height: self.height - rows, ..self }
    }

    /// Returns the first rows.
    #[must_use]
    pub fn top(self, rows: u16) -> Self {
        Self { height: rows.min(self.height), ..self }
    }

    /// Returns one row of it, counted from 0; empty where there is none.
    #[must_use]
    pub fn row(self, at: u16) -> Self {
        if at < self.height { Self { y: self.y + at, height: 1, ..self } } else { Self { height: 0, ..self } }
    }

    /// Returns a rectangle of at most this size in its middle.
    #[must_use]
    pub fn middle(self, width: u16, height: u16) -> Self {
        let (width, height) = (width.min(self.width), height.min(self.height));
        Self { x: self.x + (self.width - width) / 2, y: self.y + (self.height - height) / 3, width, height }
    }
}

impl Layout {
    /// Lays out the deck. The places depend on the size alone, so that nothing jumps while rows come and go.
    pub fn of(size: Size) -> Self {
        let Size { width, height } = size;
        let wide = width >= WIDE_FROM && height >= TALL_FROM;
        let screen = Rect::new(0, 0, width, height);
        let header = screen.top(1);
        let footer = screen.row(height.saturating_sub(1));
        let status = if height >= 4 { screen.row(height - 2) } else { Rect::default() };
        let body = screen.below(1).top(height.saturating_sub(3));
        if !wide {
            return Self {
                wide,
                header,
                body,
                repos: body,
                apps: body,
                clusters: body,
                drift: body,
                status,
                footer,
            };
        }
        let upper = body.top((body.height / 3).max(6));
        let repos = Rect { width: (width * 30 / 100).min(44), ..upper };
        let clusters_width = (width * 36 / 100).min(64);
        let apps = Rect { x: repos.width, width: width - repos.width - clusters_width, ..upper };
        let clusters = Rect { x: apps.x + apps.width, width: clusters_width, ..upper };
        Self { wide, header, body, repos, apps, clusters, drift: body.below(upper.height), status, footer }
    }

    /// Returns the place of a column with its title.
    pub fn column(&self, column: Column) -> Rect {
        match column {
            Column::Repos => self.repos,
            Column::Apps => self.apps,
            Column::Clusters => self.clusters,
            Column::Drift => self.drift,
        }
    }

    /// Returns the place of a column's rows, below its title.
    pub fn rows(&self, column: Column) -> Rect {
        self.column(column).below(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_lies_within_the_screen_and_none_overlaps() {
        for (width, height) in [(1, 1), (3, 2), (40, 12), (80, 24), (100, 20), (120, 40), (300, 100)] {
            let layout = Layout::of(Size { width, height });
            let mut parts = vec![layout.header, layout.status, layout.footer];
            if layout.wide {
                parts.extend(Column::ALL.map(|c| layout.column(c)));
            } else {
                parts.push(layout.body);
            }
            parts.retain(|p| p.height > 0 && p.width > 0);
            for (i, a) in parts.iter().enumerate() {
                assert!(a.x + a.width <= width && a.y + a.height <= height, "{a:?} in {width}x{height}");
                for b in parts.iter().skip(i + 1) {
                    let apart = a.x + a.width <= b.x
                        || b.x + b.width <= a.x
                        || a.y + a.height <= b.y
                        || b.y + b.height <= a.y;
                    // A screen of one or two rows has its header and footer in one place.
                    assert!(apart || height < 3, "{a:?} and {b:?} in {width}x{height}");
                }
            }
        }
    }
}
