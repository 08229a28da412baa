struct S;

impl S {
    #[molen::test(clock = "manual")]
    async fn test(self) {}
}

fn main() {}
