/// 2^(−elapsed / half-life) as an integer over 2^62, by integers alone, so that every machine gets the same bits.
/// The fraction of the exponent is cut to 32 binary digits; for each digit that is set the weight is multiplied by the tabled
/// root and cut. 0 when 62 or more half-lives have passed. Both arguments are in milliseconds, `elapsedMs` ≥ 0, `halfLifeMs` > 0.
func decayWeight(elapsedMs: Int64, halfLifeMs: Int64) -> Int64 {
    let (wholeHalfLives, restMs) = elapsedMs.quotientAndRemainder(dividingBy: halfLifeMs)
    guard wholeHalfLives < 62 else { return 0 }
    let fraction = UInt64((UInt128(restMs) << 32) / UInt128(halfLifeMs))
    var weight: UInt128 = 1 << 62
    for (digit, root) in rootsOfOneHalf.enumerated() where fraction & (1 << (31 - UInt64(digit))) != 0 {
        weight = (weight * UInt128(root)) >> 62
    }
    return Int64(weight >> UInt128(wholeHalfLives))
}

/// 2^(−1/2), 2^(−1/4), … 2^(−1/2^32), each times 2^62 and rounded to the nearest integer.
private let rootsOfOneHalf: [Int64] = [
    3_260_954_456_333_195_553, 3_877_950_241_171_266_237, 4_228_934_724_888_366_668, 4_416_165_660_797_809_419,
    4_512_867_096_753_504_463, 4_562_008_997_483_360_349, 4_586_780_255_215_411_731, 4_599_216_278_082_138_665,
    4_605_446_927_862_164_404, 4_608_565_417_332_308_035, 4_610_125_453_837_388_245, 4_610_905_670_110_601_999,
    4_611_295_827_762_151_833, 4_611_490_918_967_884_501, 4_611_588_467_665_893_036, 4_611_637_242_788_701_951,
    4_611_661_630_543_559_956, 4_611_673_824_469_352_645, 4_611_679_921_444_339_948, 4_611_682_969_934_856_344,
    4_611_684_494_180_870_228, 4_611_685_256_304_066_092, 4_611_685_637_365_711_255, 4_611_685_827_896_545_643,
    4_611_685_923_161_965_790, 4_611_685_970_794_676_601, 4_611_685_994_611_032_191, 4_611_686_006_519_210_032,
    4_611_686_012_473_298_964, 4_611_686_015_450_343_433, 4_611_686_016_938_865_668, 4_611_686_017_683_126_786,
]
