# Listens as Node cannot: bound to a device, or with a queue that is full. Goes into the background when it listens.
use strict;
use warnings;
use Socket;
use POSIX ();

use constant SO_BINDTODEVICE => 25;

my ($kind, $port, $argument) = @ARGV;
socket(my $server, PF_INET, SOCK_STREAM, getprotobyname('tcp')) or die "socket: $!";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1) or die "reuse: $!";
setsockopt($server, SOL_SOCKET, SO_BINDTODEVICE, "$argument\0") or die "device: $!" if $kind eq 'device';
bind($server, sockaddr_in($port, INADDR_ANY)) or die "bind: $!";
listen($server, $kind eq 'backlog' ? $argument : 128) or die "listen: $!";

my @waiting;
if ($kind eq 'backlog') {
    # One more than the queue holds, and nobody accepts.
    for (0 .. $argument) {
        socket(my $client, PF_INET, SOCK_STREAM, getprotobyname('tcp')) or die "socket: $!";
        connect($client, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!";
        push @waiting, $client;
    }
}

exit 0 if fork();
POSIX::setsid();
open(STDIN, '<', '/dev/null');
open(STDOUT, '>', '/dev/null');
open(STDERR, '>', '/dev/null');
if ($kind eq 'backlog') { sleep 600; exit 0; }

$SIG{CHLD} = 'IGNORE';
while (accept(my $peer, $server)) {
    next if fork();
    my (undef, $source) = sockaddr_in(getpeername($peer));
    my (undef, $own) = sockaddr_in(getsockname($peer));
    sysread($peer, my $request, 100);
    syswrite($peer, sprintf('{"backend":"%s:%d","source":"%s"}', inet_ntoa($own), $port, inet_ntoa($source)));
    exit 0;
}
