struct Motor;

impl Motor {
    #[molen::task]
    async fn turn(self) {}
}

fn main() {}
