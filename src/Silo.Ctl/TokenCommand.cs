using System.CommandLine;
using Silo.Cluster.Contracts.Security;
using Silo.Core;

namespace Silo.Ctl;

/// <summary>Issues access tokens; for whoever holds the key file. Needs no cluster.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        var keys = new Option<string>("--keys") { HelpName = "FILE", Description = "The key file that the hosts read.", Required = true };
        var allow = new Option<string[]>("--allow") { HelpName = "WHAT", Description = "What the token allows: submit, rank, read, operate.", Required = true, AllowMultipleArgumentsPerToken = true };
        var experiment = new Option<string>("--experiment") { HelpName = "ID", Description = "The experiment that it holds for, or * for all.", DefaultValueFactory = _ => "*" };
        var subject = new Option<string>("--subject") { HelpName = "NAME", Description = "Who it is issued to.", Required = true };
        var hours = new Option<double>("--hours") { HelpName = "N", Description = "How long it holds.", DefaultValueFactory = _ => 24 };
        var issue = new Command("issue", "Print a token.\n\nExample: siloctl token issue --keys token-keys --subject anna --allow submit read --hours 72 > anna.token") { keys, allow, experiment, subject, hours };
        issue.SetAction(parsed =>
        {
            var access = Access.None;
            foreach (var name in parsed.GetValue(allow)!.SelectMany(a => a.Split(',')))
                access |= name switch
                {
                    "submit" => Access.Submit,
                    "rank" => Access.Rank,
                    "read" => Access.Read,
                    "operate" => Access.Operate,
                    _ => throw new SiloException($"--allow {name}: expected submit, rank, read or operate"),
                };
            if (!(parsed.GetValue(hours) is > 0 and <= 24 * 366)) throw new SiloException($"--hours {parsed.GetValue(hours)}: expected more than 0, at most a year");
            var tokens = new AccessTokens(AccessTokens.ReadKeys(File.ReadAllText(parsed.GetValue(keys)!), parsed.GetValue(keys)!), TimeProvider.System);
            Console.WriteLine(tokens.Issue(new AccessGrant(parsed.GetValue(subject)!, access, parsed.GetValue(experiment)!), TimeSpan.FromHours(parsed.GetValue(hours))));
        });
        var key = new Command("key", "Print a fresh key, a line for the key file.");
        key.SetAction(_ => Console.WriteLine(AccessTokens.NewKey()));
        return new Command("token", "Issue access tokens and make their keys.") { issue, key };
    }
}
