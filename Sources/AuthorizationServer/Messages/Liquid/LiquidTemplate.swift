import Foundation
import OAuth

/// A template in the part of Shopify's Liquid that Auth0's mail templates use. What it does not know it refuses when the
/// template is read, so that no mail fails for it.
package struct LiquidTemplate: Sendable {
    /// What the text is put into.
    package enum Format: Sendable {
        /// Values are escaped unless a filter has made them safe.
        case html
        case text
    }

    let nodes: [LiquidNode]

    /// - Throws: ``LiquidProblem`` for a tag or filter that is unknown, or a construct that does not end.
    package init(_ text: String) throws(LiquidProblem) {
        var parser = LiquidParser(tokens: try LiquidToken.read(text))
        nodes = try parser.parse()
    }

    /// The text with its values; a variable that there is not is empty.
    /// - Parameter now: what `'now' | date` shows.
    /// - Throws: ``LiquidProblem`` where the lists that it goes through would make a text that nobody can want.
    package func render(_ variables: JSONObject, as format: Format, now: Date) throws(LiquidProblem) -> String {
        var rendering = LiquidRendering(variables: variables, format: format, now: now)
        try rendering.render(nodes)
        return rendering.output
    }
}

/// A part of a template.
indirect enum LiquidNode: Sendable {
    case text(String)
    case output(LiquidExpression)
    /// The first branch whose condition holds; one without a condition always does.
    case branches([(condition: LiquidCondition?, nodes: [LiquidNode])])
    case loop(LiquidLoop)
    case assign(String, LiquidExpression)
    case capture(String, [LiquidNode])
}

/// `{% for name in list limit: n offset: m %} … {% else %} … {% endfor %}`.
struct LiquidLoop: Sendable {
    var name: String
    var list: LiquidOperand
    var limit: LiquidOperand?
    var offset: LiquidOperand?
    var isReversed: Bool
    var body: [LiquidNode]
    /// What stands there for an empty list.
    var otherwise: [LiquidNode]
}
