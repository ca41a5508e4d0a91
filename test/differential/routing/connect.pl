# Connects UDP sockets, which sends nothing but chooses route and source. One line each on standard input:
#   DESTINATION SOURCE_PORT DESTINATION_PORT MARK DEVICE UID        ("-" for what is not asked)
# and one on standard output: "from ADDRESS", or the error of connect().
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM SOL_SOCKET SO_BROADCAST inet_pton inet_ntop
    pack_sockaddr_in pack_sockaddr_in6 unpack_sockaddr_in unpack_sockaddr_in6);

use constant { SO_BINDTODEVICE => 25, SO_MARK => 36 };

$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($to, $sport, $dport, $mark, $device, $uid) = split / /, $line;
    my $six = $to =~ /:/;
    my $family = $six ? AF_INET6 : AF_INET;
    my $address = sub { my ($ip, $port) = @_; my $n = inet_pton($family, $ip); $six ? pack_sockaddr_in6($port, $n) : pack_sockaddr_in($port, $n) };
    # A socket belongs to who makes it; its options need root.
    $> = $uid if $uid ne '-';
    my $made = socket(my $handle, $family, SOCK_DGRAM, 0);
    $> = 0 if $uid ne '-';
    die "socket: $!" unless $made;
    setsockopt($handle, SOL_SOCKET, SO_BROADCAST, 1) or die "SO_BROADCAST: $!";
    if ($mark ne '-') { setsockopt($handle, SOL_SOCKET, SO_MARK, pack('I', $mark)) or die "SO_MARK: $!"; }
    if ($device ne '-') { setsockopt($handle, SOL_SOCKET, SO_BINDTODEVICE, "$device\0") or die "SO_BINDTODEVICE: $!"; }
    if ($sport ne '-') { bind($handle, $address->($six ? '::' : '0.0.0.0', $sport)) or die "bind: $!"; }
    if (connect($handle, $address->($to, $dport eq '-' ? 9 : $dport))) {
        my ($port, $own) = $six ? unpack_sockaddr_in6(getsockname($handle)) : unpack_sockaddr_in(getsockname($handle));
        print 'from ', inet_ntop($family, $own), "\n";
    } else {
        print "$!\n";
    }
}
