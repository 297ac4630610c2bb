import Foundation

/// Unpacks a gzip file piece by piece (RFC 1952, RFC 1951), so that a large one is never in memory as a whole.
struct Gunzip {
    /// The file is damaged or cut off.
    struct Damaged: Error, CustomStringConvertible {
        let description = "The file is no complete gzip file: it is damaged or cut off. Get it again."
    }

    /// Bytes of the packed file that have been read.
    private(set) var bytesRead = 0

    private enum State {
        case memberHeader, blockHeader, stored(Int), compressed(Codes, Codes), memberEnd, end
    }

    private let handle: FileHandle
    private var input: [UInt8] = []
    private var position = 0
    private var bits: UInt64 = 0
    private var bitCount = 0
    private var state = State.memberHeader
    private var isLastBlock = false
    /// What has been unpacked, with the last 32 KiB before it, to which what follows refers.
    private var output: [UInt8] = []
    private var delivered = 0
    private var checksum: UInt32 = 0
    private var length: UInt32 = 0
    private var members = 0

    private static let window = 1 << 15
    private static let piece = 1 << 16

    init(handle: FileHandle) { self.handle = handle }

    /// The next piece; empty at the end.
    /// - Throws: ``Damaged``, or an error of the file system.
    mutating func next() throws -> [UInt8] {
        if output.count > Self.window {
            output.removeFirst(output.count - Self.window)
        }
        delivered = output.count
        while output.count - delivered < Self.piece {
            if case .end = state { break }
            try step()
        }
        return Array(output[delivered...])
    }

    private mutating func step() throws {
        switch state {
        case .memberHeader: try readMemberHeader()
        case .blockHeader: try readBlockHeader()
        case .stored(let remaining):
            guard remaining > 0 else { return endBlock() }
            write(UInt8(truncatingIfNeeded: try take(8)))
            state = .stored(remaining - 1)
        case .compressed(let lengths, let distances): try readSymbols(lengths, distances)
        case .memberEnd:
            take(remainder: bitCount % 8)
            guard try take(32) == checksum, try take(32) == length else { throw Damaged() }
            state = .memberHeader
        case .end: break
        }
    }

    private mutating func readMemberHeader() throws {
        guard try fill(8) else {
            guard members > 0 else { throw Damaged() }
            state = .end
            return
        }
        guard try take(8) == 0x1F, try take(8) == 0x8B, try take(8) == 8 else { throw Damaged() }
        let flags = try take(8)
        // The time, the way it was packed, and the system.
        _ = (try take(32), try take(16))
        if flags & 4 != 0 {
            for _ in 0..<(try take(16)) { _ = try take(8) }
        }
        for flag: UInt32 in [8, 16] where flags & flag != 0 { while try take(8) != 0 {} }
        if flags & 2 != 0 { _ = try take(16) }
        (checksum, length, members, state) = (0, 0, members + 1, .blockHeader)
    }

    private mutating func readBlockHeader() throws {
        isLastBlock = try take(1) == 1
        switch try take(2) {
        case 0:
            take(remainder: bitCount % 8)
            let count = try take(16)
            guard try take(16) == ~count & 0xFFFF else { throw Damaged() }
            state = .stored(Int(count))
        case 1: state = .compressed(Codes.fixedLengths, Codes.fixedDistances)
        case 2: state = try readCodes()
        default: throw Damaged()
        }
    }

    /// The codes of a block that brings its own, which are packed themselves.
    private mutating func readCodes() throws -> State {
        let (lengthCount, distanceCount) = (Int(try take(5)) + 257, Int(try take(5)) + 1)
        var lengths = [UInt8](repeating: 0, count: 19)
        for place in Codes.order.prefix(Int(try take(4)) + 4) { lengths[place] = UInt8(try take(3)) }
        let packing = try Codes(lengths)
        var all: [UInt8] = []
        while all.count < lengthCount + distanceCount {
            switch try symbol(packing) {
            case 16:
                guard let last = all.last else { throw Damaged() }
                all += Array(repeating: last, count: Int(try take(2)) + 3)
            case 17: all += Array(repeating: 0, count: Int(try take(3)) + 3)
            case 18: all += Array(repeating: 0, count: Int(try take(7)) + 11)
            case let length: all.append(UInt8(length))
            }
        }
        guard all.count == lengthCount + distanceCount else { throw Damaged() }
        return .compressed(try Codes(Array(all.prefix(lengthCount))), try Codes(Array(all.suffix(distanceCount))))
    }

    private mutating func readSymbols(_ lengths: Codes, _ distances: Codes) throws {
        while output.count - delivered < Self.piece {
            let symbol = try symbol(lengths)
            if symbol < 256 {
                write(UInt8(symbol))
                continue
            }
            guard symbol > 256 else { return endBlock() }
            guard symbol - 257 < Codes.lengthBases.count else { throw Damaged() }
            let (base, extra) = Codes.lengthBases[symbol - 257]
            let count = base + Int(try take(extra))
            let place = try self.symbol(distances)
            guard place < Codes.distanceBases.count else { throw Damaged() }
            let (start, more) = Codes.distanceBases[place]
            let distance = start + Int(try take(more))
            guard distance <= output.count else { throw Damaged() }
            for _ in 0..<count { write(output[output.count - distance]) }
        }
    }

    private mutating func endBlock() { state = isLastBlock ? .memberEnd : .blockHeader }

    private mutating func write(_ byte: UInt8) {
        output.append(byte)
        checksum = CRC32.adding(byte, to: checksum)
        length &+= 1
    }

    // MARK: Bits

    /// Whether so many bits are there.
    private mutating func fill(_ count: Int) throws -> Bool {
        while bitCount < count {
            if position == input.count {
                input = Array(try handle.read(upToCount: Self.piece) ?? Data())
                position = 0
                bytesRead += input.count
                if input.isEmpty { return false }
            }
            bits |= UInt64(input[position]) << UInt64(bitCount)
            position += 1
            bitCount += 8
        }
        return true
    }

    private mutating func take(_ count: Int) throws -> UInt32 {
        guard try fill(count) else { throw Damaged() }
        let value = UInt32(truncatingIfNeeded: bits & ((1 << UInt64(count)) - 1))
        take(remainder: count)
        return value
    }

    private mutating func take(remainder count: Int) {
        bits >>= UInt64(count)
        bitCount -= count
    }

    private mutating func symbol(_ codes: Codes) throws -> Int {
        // The last code of a file may be shorter than the longest one.
        _ = try fill(codes.longest)
        let entry = codes.table[Int(bits & ((1 << UInt64(codes.longest)) - 1))]
        let length = Int(entry & 15)
        guard length > 0, length <= bitCount else { throw Damaged() }
        take(remainder: length)
        return Int(entry >> 4)
    }
}

/// A set of codes: for each sequence of bits the symbol that it starts with, and how many of them are its code.
private struct Codes {
    let longest: Int
    /// The symbol times 16, plus the length of its code.
    let table: [UInt16]

    /// - Parameter lengths: the length of each symbol's code, from which the codes follow (RFC 1951 §3.2.2).
    init(_ lengths: [UInt8]) throws {
        longest = max(1, Int(lengths.max() ?? 0))
        var counts = [Int](repeating: 0, count: 16)
        for length in lengths where length > 0 { counts[Int(length)] += 1 }
        var (next, code) = ([Int](repeating: 0, count: 16), 0)
        for length in 1...15 {
            code = (code + counts[length - 1]) << 1
            next[length] = code
            guard code + counts[length] <= 1 << length else { throw Gunzip.Damaged() }
        }
        var table = [UInt16](repeating: 0, count: 1 << longest)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            // Codes come with their first bit first, numbers with their last.
            var (reversed, rest) = (0, next[Int(length)])
            for _ in 0..<length { (reversed, rest) = (reversed << 1 | rest & 1, rest >> 1) }
            next[Int(length)] += 1
            for index in stride(from: reversed, to: table.count, by: 1 << Int(length)) {
                table[index] = UInt16(symbol) << 4 | UInt16(length)
            }
        }
        self.table = table
    }

    private init(valid lengths: [UInt8]) { self = (try? Codes(lengths)) ?? Codes() }
    private init() { (longest, table) = (1, [0, 0]) }

    static let fixedLengths = Codes(
        valid: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    static let fixedDistances = Codes(valid: [UInt8](repeating: 5, count: 30))

    /// The order in which the lengths of the codes for lengths come.
    static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    /// Where the lengths of a symbol start, and the bits that follow it (RFC 1951 §3.2.5).
    static let lengthBases: [(Int, Int)] = {
        var (bases, base) = ([(Int, Int)](), 3)
        for index in 0..<28 {
            let extra = index < 4 ? 0 : index / 4 - 1
            bases.append((base, extra))
            base += 1 << extra
        }
        return bases + [(258, 0)]
    }()

    /// Where the distances of a symbol start, and the bits that follow it.
    static let distanceBases: [(Int, Int)] = {
        var (bases, base) = ([(Int, Int)](), 1)
        for index in 0..<30 {
            let extra = index < 2 ? 0 : index / 2 - 1
            bases.append((base, extra))
            base += 1 << extra
        }
        return bases
    }()
}

private enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    static func adding(_ byte: UInt8, to checksum: UInt32) -> UInt32 {
        let value = ~checksum
        return ~(table[Int((value ^ UInt32(byte)) & 0xFF)] ^ value >> 8)
    }
}
