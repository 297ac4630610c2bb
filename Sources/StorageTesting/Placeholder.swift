import Testing

func probe() throws {
    #expect(1 == 1)
    let x: Int? = 1
    _ = try #require(x)
}
